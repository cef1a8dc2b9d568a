package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// streamsFile is what --export writes into the run folder.
const streamsFile = "streams.jsonl"

// export writes one line per stream, with its grade.
func export(dir string) error {
	parts, err := record.OpenParts(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	defer parts.Close()
	f, err := os.Create(filepath.Join(dir, streamsFile))
	if err != nil {
		return fmt.Errorf("write streams: %w", err)
	}
	for p, err := range parts.All() {
		if err == nil {
			err = reports.WriteRows(f, verdict.ScopesOf(p))
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
