package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// streamsFile is what --export writes into the run folder.
const streamsFile = "streams.jsonl"

// export writes one line per stream, with its grade.
func export(dir string) error {
	run, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, streamsFile))
	if err != nil {
		return fmt.Errorf("write streams: %w", err)
	}
	return errors.Join(verdict.WriteRows(f, verdict.Scopes(run)), f.Close())
}
