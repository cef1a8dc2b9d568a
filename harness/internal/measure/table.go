package main

import (
	_ "embed" // for the figures before the redesign
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// beforeJSON is what -json printed of commit 16b233e, on which the redesign was
// planned.
//
//go:embed before.json
var beforeJSON []byte

// A row is one line of the table: a figure, and what is wanted of it.
type row struct {
	name   string
	of     func(house) string
	wanted string
}

// rows are the lines of the table in their order.
func rows() []row {
	return []row{
		{"lines without tests", func(h house) string { return strconv.Itoa(h.Lines) }, "<= 39000"},
		{"lines of tests", func(h house) string { return strconv.Itoa(h.Tests) }, ""},
		{"tests : source", func(h house) string { return ratio(h.Tests, h.Lines) }, ">= 0.80"},
		{"packages", func(h house) string { return strconv.Itoa(h.Packages) }, ""},
		{"rooms / floors", func(h house) string { return pair(h.Rooms, h.Floors) }, "27 / 14"},
		{"imports between rooms / back up", func(h house) string { return pair(h.Imports, len(h.Back)) }, "<= 130 / <= 4"},
		{"functions", func(h house) string { return strconv.Itoa(h.Functions.N) }, ""},
		{"lines a function: p50 / p99 / max", func(h house) string { return h.Functions.String() }, ""},
		{"longest function", func(h house) string { return h.Functions.Longest }, ""},
		{"files", func(h house) string { return strconv.Itoa(h.Files) }, ""},
		{"lines a file: p50 / p99 / max", func(h house) string { return h.FileSizes.String() }, ""},
		{"longest file", func(h house) string { return h.FileSizes.Longest }, ""},
		{"lines over 120 columns", func(h house) string { return strconv.Itoa(h.Long) }, "< 30"},
		{"lines with a comment", func(h house) string { return percent(h.Commented, h.Lines) }, ">= 16 %"},
	}
}

// table prints the figures beside those before the redesign and those wanted.
func (h house) table(w io.Writer) error {
	var before house
	if err := json.Unmarshal(beforeJSON, &before); err != nil {
		return fmt.Errorf("read before.json: %w", err)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tbefore\tnow\twanted")
	for _, r := range rows() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.name, r.of(before), r.of(h), r.wanted)
	}
	return t.Flush()
}

func (s sizes) String() string { return fmt.Sprintf("%d / %d / %d", s.P50, s.P99, s.Max) }

func pair(a, b int) string { return fmt.Sprintf("%d / %d", a, b) }

func ratio(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(a)/float64(b))
}

func percent(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(a)/float64(b))
}
