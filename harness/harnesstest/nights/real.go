package nights

import (
	"bytes"
	"compress/gzip"
	_ "embed" // of the recorded nights
	"encoding/json"
	"fmt"
	"os"

	"github.com/streamproof/streamproof/harness/history"
)

// recorded are nights that 'make nights' made, on two cores that others kept busy (load
// 5 to 18), without histograms: go run ./harness/internal/nights -record.
//
//go:embed testdata/real.json.gz
var recorded []byte

// Real are thirty nights that were made by runs of streamproof against its origin. In
// them is planted what is in [Rows], in other sound scenarios.
func Real() ([]history.Row, error) {
	in, err := gzip.NewReader(bytes.NewReader(recorded))
	if err != nil {
		return nil, fmt.Errorf("read recorded nights: %w", err)
	}
	var rows []history.Row
	if err := json.NewDecoder(in).Decode(&rows); err != nil {
		return nil, fmt.Errorf("read recorded nights: %w", err)
	}
	return rows, nil
}

// Record writes nights as [Real] reads them.
func Record(path string, rows []history.Row) error {
	for i := range rows {
		for _, s := range rows[i].Scenarios {
			for name, m := range s.Metrics {
				m.Histogram = nil
				s.Metrics[name] = m
			}
		}
	}
	var b bytes.Buffer
	out, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		err = history.WriteJSON(out, rows)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return fmt.Errorf("record nights: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
