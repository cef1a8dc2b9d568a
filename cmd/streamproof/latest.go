package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/streamproof/streamproof/harness"
)

// runsFolder is where runs are kept unless -o says otherwise, and latestRun the
// link in it to the one that began last.
const (
	runsFolder = "runs"
	latestRun  = "latest"
)

// remember points runs/latest at dir, where dir is one of the folders in runs. The
// link is replaced in one step, so that a reader finds the old run or the new one.
// Where links cannot be made there is none: nothing else depends on it.
func remember(dir string) {
	if !samePath(filepath.Dir(filepath.Clean(dir)), runsFolder) {
		return
	}
	link := filepath.Join(runsFolder, latestRun)
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return // somebody's own file or folder
	}
	fresh := fmt.Sprintf("%s.%d", link, os.Getpid())
	if os.Symlink(filepath.Base(dir), fresh) != nil {
		return
	}
	if os.Rename(fresh, link) != nil {
		os.Remove(fresh)
	}
}

// samePath reports whether two paths lead to the same place, however they are written.
func samePath(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// remembering calls remember and keep once, when the run's folder is there.
func remembering(dir string, keep func(), then func(harness.Progress)) func(harness.Progress) {
	return keeping(func() {
		remember(dir)
		keep()
	}, then)
}

// keeping calls keep once, when the run's folder is there: with the first word of progress.
func keeping(keep func(), then func(harness.Progress)) func(harness.Progress) {
	var once sync.Once
	return func(p harness.Progress) {
		once.Do(keep)
		then(p)
	}
}

// namedRun is the run that a command is about: the one that is named, or the one
// that began last.
func namedRun(cmd string, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], holdsRun(args[0])
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(runsFolder, latestRun))
	if err != nil {
		return "", &harness.UsageError{Place: cmd, Problem: "no run folder is named, and there is no " + runsFolder + "/" +
			latestRun,
			Fix: "write '" + cmd + " RUNDIR' with a folder that 'streamproof run' wrote"}
	}
	return dir, holdsRun(dir)
}
