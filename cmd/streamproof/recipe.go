package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/suggest"
	"github.com/streamproof/streamproof/scenarios/recipes"
)

// writeRecipe writes the file of a recipe to path, and the app that it starts beside it.
// What is there is replaced only with force.
func writeRecipe(told io.Writer, name, path string, force bool, given *pflag.FlagSet) error {
	var with []string
	given.Visit(func(f *pflag.Flag) {
		if !slices.Contains([]string{"recipe", "out", "force"}, f.Name) {
			with = append(with, "--"+f.Name)
		}
	})
	if len(with) > 0 {
		return &harness.UsageError{Place: "--recipe",
			Problem: "a recipe says itself what " + strings.Join(with, ", ") + " would say",
			Fix:     "leave one of them out, and edit the file"}
	}
	if !slices.Contains(recipes.Names(), name) {
		fix := "known are " + strings.Join(recipes.Names(), ", ")
		if s := suggest.Nearest(name, recipes.Names()); s != "" {
			fix = fmt.Sprintf("did you mean %q?", s)
		}
		return &harness.UsageError{Place: "--recipe", Problem: fmt.Sprintf("unknown recipe %q", name), Fix: fix}
	}
	text, app, err := recipes.Read(name)
	if err != nil {
		return fmt.Errorf("read recipe %s: %w", name, err)
	}
	all, dir := []recipes.File{{Name: filepath.Base(path), Text: text}}, filepath.Dir(path)
	all = append(all, app...)
	for _, f := range all { // all or nothing
		at := filepath.Join(dir, filepath.FromSlash(f.Name))
		if _, err := os.Lstat(at); err == nil && !force {
			return &harness.UsageError{Place: at, Problem: "is already there",
				Fix: "name another folder with -o, or add --force"}
		}
	}
	var names []string
	for _, f := range all {
		at := filepath.Join(dir, filepath.FromSlash(f.Name))
		if d := filepath.Dir(at); d != dir {
			err = errors.Join(err, os.MkdirAll(d, 0o755))
		}
		err = errors.Join(err, writeNew(at, f.Text, force))
		names = append(names, at)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(told, "wrote %s; next: read the first lines of %s, then streamproof run -f %s\n",
		strings.Join(names, ", "), path, quote(path))
	return nil
}
