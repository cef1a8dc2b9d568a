package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The schemas that others build on are kept in the repository, so that a change
// to them is seen in review. Run with -update to write them.
func TestSchemasAreKept(t *testing.T) {
	for name, schema := range schemas {
		var b bytes.Buffer
		if err := writeJSON(&b, schema()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("schema", name+".schema.json")
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(kept, b.Bytes()) {
			t.Errorf("%s is not what 'streamproof schema %s' prints: run go test ./cmd/streamproof -update", path, name)
		}
	}
}
