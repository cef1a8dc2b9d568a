package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// JSON writes verdict.json: the report as it is, indented, with the same bytes
// for the same report. Lists are never null. Strings are the server's own, with
// every character escaped that could steer the terminal it is printed on.
func JSON(w io.Writer, in Input) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(listed(*worded(in.Report))); err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	_, err := w.Write(escaped(b.Bytes()))
	return err
}

// listed returns r with empty lists in place of missing ones.
func listed(r verdict.Report) verdict.Report {
	r.Schema = verdict.Schema
	r.Outcomes = orEmpty(r.Outcomes)
	r.Scenarios = append([]verdict.ScenarioReport{}, r.Scenarios...)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Outcomes, s.Flags = orEmpty(s.Outcomes), orEmpty(s.Flags)
		s.Checks = append([]verdict.Check{}, s.Checks...)
		s.Causes = append([]verdict.Cause{}, s.Causes...)
		for j := range s.Causes {
			s.Causes[j].Evidence = append([]record.Evidence{}, s.Causes[j].Evidence...)
		}
	}
	return r
}

func orEmpty[K comparable](m map[K]int) map[K]int {
	if m == nil {
		return map[K]int{}
	}
	return m
}

// escaped writes the characters that [visible] would replace, and that JSON
// allows as they are, as \u escapes: the value stays the same.
func escaped(b []byte) []byte {
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == '\n' || visible(r) == r {
			out = append(out, b[:n]...)
		} else if r > 0xffff {
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out
}
