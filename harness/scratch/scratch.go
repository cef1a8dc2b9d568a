// Package scratch makes temporary folders that are gone after a crash, too.
//
//  1. [Dir] makes a folder and locks it (flock). The lock ends with the process that
//     made it, however that ends.
//  2. Whoever removes it in time does, which is the usual way.
//  3. [Sweep], which every call of Dir begins with, removes the folders that nobody holds:
//     their owners were killed.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// prefix begins the names of our folders. It is none that was used before they were locked.
const prefix = "streamproof-tmp-"

// A Folder is a temporary folder of this process.
type Folder struct {
	Path string
	held *os.File // its lock; nil where there is none
}

// Dir makes a folder. kind is a word of its name, for whoever meets it.
func Dir(kind string) (*Folder, error) {
	Sweep()
	for {
		path, err := os.MkdirTemp("", prefix+kind+"-")
		if err != nil {
			return nil, fmt.Errorf("make temporary folder: %w", err)
		}
		held, err := hold(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("lock temporary folder: %w", err), os.Remove(path))
		}
		d := &Folder{path, held}
		if err == nil && d.there() {
			return d, nil
		}
		d.release() // another process has swept it before it was locked
	}
}

// there reports whether the folder that is locked is the one at its path.
func (d *Folder) there() bool {
	if d.held == nil {
		return true
	}
	locked, err := d.held.Stat()
	at, err2 := os.Lstat(d.Path)
	return err == nil && err2 == nil && os.SameFile(locked, at)
}

// Remove removes the folder with all that is in it; it may be called twice.
func (d *Folder) Remove() error {
	err := os.RemoveAll(d.Path)
	d.release()
	return err
}

func (d *Folder) release() {
	if d.held != nil {
		d.held.Close()
		d.held = nil
	}
}

// Sweep removes the folders of processes that are gone. What it cannot remove it leaves:
// it is another user's, or the next sweep's.
func Sweep() {
	entries, _ := os.ReadDir(os.TempDir()) // one that cannot be read has none that we could remove
	for _, e := range entries {
		if e.Type() == fs.ModeDir && strings.HasPrefix(e.Name(), prefix) {
			sweep(filepath.Join(os.TempDir(), e.Name()))
		}
	}
}
