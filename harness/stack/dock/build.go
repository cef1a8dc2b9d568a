package dock

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/moby/client"
)

// A recipe is a folder with a Dockerfile.
type recipe struct {
	folder     string
	dockerfile string // "" means Dockerfile
	target     string
	args       map[string]*string
}

// build makes an image from a folder and returns its name, which follows from
// the folder: the next build replaces it, and its layers come from the cache.
func (d *daemon) build(ctx context.Context, r recipe) (name string, err error) {
	if r.dockerfile == "" {
		r.dockerfile = "Dockerfile"
	}
	if _, err := os.Stat(filepath.Join(r.folder, r.dockerfile)); err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	pr, pw := io.Pipe()
	var packing sync.WaitGroup
	packing.Go(func() { pw.CloseWithError(pack(pw, r.folder)) })
	defer packing.Wait()
	defer pr.Close() // ends the packing where the daemon has had enough
	name = r.name()
	res, err := d.ImageBuild(ctx, pr, client.ImageBuildOptions{Tags: []string{name}, Dockerfile: r.dockerfile,
		Target: r.target, BuildArgs: r.args, Remove: true, ForceRemove: true})
	if err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	defer res.Body.Close()
	if err := drainProgress(res.Body); err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	return name, nil
}

// name is the same for the same recipe, on every run.
func (r recipe) name() string {
	abs, err := filepath.Abs(r.folder)
	if err != nil {
		abs = r.folder
	}
	return fmt.Sprintf("streamproof/app-%08x:dev", crc32.ChecksumIEEE([]byte(abs+"\x00"+r.dockerfile+"\x00"+r.target)))
}

// pack writes a folder as tar, without what .dockerignore names by a plain path
// or *.suffix, and without .git.
func pack(w io.Writer, folder string) error {
	ignore := append(readIgnore(filepath.Join(folder, ".dockerignore")), ".git")
	t := tar.NewWriter(w)
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil || rel == "." {
			return err
		}
		if ignored(rel, ignore) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return packFile(t, path, filepath.ToSlash(rel), e)
	})
	return errors.Join(err, t.Close())
}

func packFile(t *tar.Writer, path, name string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name = name
	if err := t.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}

func readIgnore(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var patterns []string
	for line := range strings.Lines(string(data)) {
		if line = strings.Trim(strings.TrimSpace(line), "/"); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, strings.TrimPrefix(line, "**/"))
		}
	}
	return patterns
}

func ignored(rel string, patterns []string) bool {
	for _, p := range patterns {
		if ok, _ := filepath.Match(p, rel); ok {
			return true
		}
		if ok, _ := filepath.Match(p, filepath.Base(rel)); ok && !strings.Contains(p, "/") {
			return true
		}
	}
	return false
}
