package prompts_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/prompts"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	f, err := prompts.Read(write(t, `{"model":"m","messages":[]}`+"\n\n"+`{"prompt":"hi"}`+"\n"))
	if err != nil || len(f.Entries) != 2 || f.Timed || f.Sized || string(f.Entries[1].Body) != `{"prompt":"hi"}` {
		t.Errorf("bodies: %+v, %v", f, err)
	}
	f, err = prompts.Read(write(t, `{"timestamp":1000,"body":{"q":1}}`+"\n"+`{"timestamp":1500.5,"body":"plain"}`+"\n"))
	if err != nil || !f.Timed || f.Entries[0].At != 0 || f.Entries[1].At != 500500*time.Microsecond ||
		string(f.Entries[1].Body) != "plain" {
		t.Errorf("timed: %+v, %v", f, err)
	}
	f, err = prompts.Read(write(t, `{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}`+
		"\n"))
	if err != nil || !f.Timed || !f.Sized || f.Entries[0].Input != 6955 || f.Entries[0].Output != 52 {
		t.Errorf("sized: %+v, %v", f, err)
	}
	if got := string(f.Entries[0].Sizes([]byte(`{"max_tokens": {output_length}}`))); got != `{"max_tokens": 52}` {
		t.Errorf("sizes filled: %s", got)
	}
}

func TestTurns(t *testing.T) {
	f, err := prompts.Read(write(t, `{"timestamp": 5, "turns": [{"q": "{turn}"}, "plain {answer}"]}`+"\n\n"+
		`{"timestamp": 9, "turns": [{"q": 3}], "output_length": 7}`))
	if err != nil || !f.Talks || !f.Timed || f.Sized || len(f.Entries) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	if a := f.Entries[0]; a.Line != 1 || len(a.Turns) != 2 || string(a.Turns[0]) != `{"q": "{turn}"}` ||
		string(a.Turns[1]) != "plain {answer}" || a.Body != nil {
		t.Errorf("%+v", a)
	}
	if b := f.Entries[1]; b.Line != 3 || b.At != 4*time.Millisecond || b.Output != 7 {
		t.Errorf("%+v", b)
	}
	// A word of the user's own that is no list is a body's.
	if f, err := prompts.Read(write(t, `{"turns": 3, "q": "x"}`)); err != nil || f.Talks || f.Entries[0].Body == nil {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestBadLines: each error names the line and the fix.
func TestBadLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "it has no request",
		`{"a":1}` + "\n" + `{"a":`:               "p.jsonl:2: no JSON",
		"hello":                                  "p.jsonl:1: no JSON",
		"17":                                     "p.jsonl:1: a JSON object is expected",
		`{"timestamp":"now","body":{}}`:          "p.jsonl:1: json: cannot unmarshal",
		`{"timestamp":-1,"body":{}}`:             "p.jsonl:1: timestamp -1 is out of range",
		`{"turns":[]}`:                           "p.jsonl:1: no turn",
		`{"turns":[{}],"body":{}}`:               "p.jsonl:1: it has both a body and turns",
		`{"turns":[{}]}` + "\n{}":                "p.jsonl:2: turns here and none in line 1",
		"{}\n" + `{"turns":[{}]}`:                "p.jsonl:2: turns here and none in line 1",
		`{"input_length":-1}`:                    "p.jsonl:1: input_length -1 is out of range",
		`{"timestamp":1,"body":{}}` + "\n{}":     "p.jsonl:2: a timestamp here",
		`{"body":{}}` + "\n{\"input_length\":3}": "p.jsonl:2: sizes without a body",
		`{"timestamp":5,"body":{}}` + "\n\n" + `{"timestamp":4,"body":{}}`: "p.jsonl:3: timestamp 4 is before that of line 1",
	} {
		_, err := prompts.Read(write(t, text))
		var e *prompts.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || e.Fix == "" {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := prompts.Read("missing.jsonl"); err == nil || !strings.Contains(err.Error(), "cannot read it") {
		t.Error(err)
	}
}

func TestTextsHaveTheirLengths(t *testing.T) {
	entries := []prompts.Entry{{Input: 3}, {Input: 0}, {Input: 700}}
	for i, text := range prompts.Texts(entries, 4) {
		if n := len(strings.Fields(text)); n != entries[i].Input {
			t.Errorf("text %d has %d words, want %d", i, n, entries[i].Input)
		}
	}
}

// TestRound: every entry once a round, in another order for another seed and round.
func TestRound(t *testing.T) {
	a, b, c := prompts.Round(50, 1, 0), prompts.Round(50, 2, 0), prompts.Round(50, 1, 1)
	if slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("two orders are the same")
	}
	if !slices.Equal(a, prompts.Round(50, 1, 0)) {
		t.Error("one seed gives two orders")
	}
	slices.Sort(a)
	for i := range a {
		if a[i] != i {
			t.Fatalf("an order is no order: %v", a)
		}
	}
}
