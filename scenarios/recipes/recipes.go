// Package recipes holds a ready streamproof.yaml for each of some common stacks, and the
// small app that each starts, so that it runs as it is.
package recipes

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.yaml *.py *.js gohttp/main.go
var files embed.FS

// Names lists the recipes.
func Names() []string {
	found, _ := fs.Glob(files, "*.yaml") // the pattern is well formed
	for i, name := range found {
		found[i] = strings.TrimSuffix(name, ".yaml")
	}
	return found
}

// A File is a file of a recipe. Name is its slash-separated path, below the folder of the
// recipe's yaml.
type File struct {
	Name string
	Text []byte
}

// Read returns the yaml of a recipe and the files of its app, whose names begin with the
// recipe's. The error is that of [fs.ReadFile] for a name that is not in [Names].
func Read(name string) (text []byte, app []File, err error) {
	if text, err = files.ReadFile(name + ".yaml"); err != nil {
		return nil, nil, err
	}
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		own := strings.HasPrefix(path, name+"_") || strings.HasPrefix(path, name+"/")
		if err != nil || d.IsDir() || !own {
			return err
		}
		data, err := files.ReadFile(path)
		app = append(app, File{path, data})
		return err
	})
	return text, app, err
}
