package paste

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// The lists of what users write, which cmd/streamproof's TestParity holds to what the
// program takes, and what of them is gone by the change log.
const (
	parity    = "cmd/streamproof/testdata/parity"
	changelog = ".github/CHANGELOG.md"
)

// commands are the flags of every command of ours, by the command's name, "streamproof
// run", and theirs.
var commands = sync.OnceValues(func() (map[string]map[string]kind, error) {
	lines, err := list("flags")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]kind{}
	for _, line := range lines {
		name, flag, has := strings.Cut(line, " --")
		if !strings.HasPrefix(name, program) {
			continue
		}
		if all[name] == nil {
			all[name] = map[string]kind{"help": {value: "bool", short: "h"}}
		}
		if words := strings.Fields(flag); has {
			k := all[name][words[0]]
			if k.value = words[1]; len(words) > 2 {
				k.short = strings.TrimPrefix(words[2], "-")
			}
			all[name][words[0]] = k
		}
	}
	return all, nil
})

// keys are the paths of the keys of streamproof.yaml, "stream.path".
var keys = sync.OnceValues(func() (map[string]bool, error) {
	lines, err := list("yaml")
	all := map[string]bool{}
	for _, line := range lines {
		key, _, _ := strings.Cut(line, "=")
		all[key] = true
	}
	return all, err
})

// list reads a parity list, without what is gone.
func list(name string) ([]string, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, parity, name+".txt"))
	if err != nil {
		return nil, err
	}
	gone, err := os.ReadFile(filepath.Join(root, changelog))
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.Contains(string(gone), "`"+name+": "+line+"`") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// moduleRoot is the folder of go.mod, above the one in which the tests of a package run.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			err = fmt.Errorf("no go.mod above the working folder")
		}
		dir = up
	}
	return "", err
}
