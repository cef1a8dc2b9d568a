package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/streamproof/streamproof/harness/verdict"
)

// WriteRows writes streams.jsonl: all streams of the scopes, one a line, with its grade
// and the reason in words. A stream that another part of the record judges is left out.
func WriteRows(w io.Writer, scopes []verdict.Scope) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for i := range scopes {
		for g := range scopes[i].Own {
			row := verdict.RowOf(g)
			row.Why = Reason(g.Grade)
			if err := enc.Encode(row); err != nil {
				return fmt.Errorf("write streams: %w", err)
			}
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write streams: %w", err)
	}
	return nil
}
