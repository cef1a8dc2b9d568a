package harness

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/load"
)

func TestSessionsThatCannotBe(t *testing.T) {
	talks := func(body string, s Sessions) Options {
		return Options{Scenarios: []Scenario{{ID: "control"}}, Load: Load{Pattern: Pattern{Sessions: s}},
			App: App{URL: "http://127.0.0.1/x", Stream: Stream{Dialect: "openai-chat", Body: body}}}
	}
	three := Sessions{Turns: 3}
	for _, tt := range []struct {
		name string
		o    Options
		want string // "" for none
	}{
		{"sound", talks(`{"t": {turn}, "a": "{answer}", "b": "{answer.2}"}`, three), ""},
		{"fewer than one", talks("", Sessions{Turns: -1}), "load.sessions.turns: -1 turns"},
		{"too many", talks("", Sessions{Turns: 1001}), "load.sessions.turns: 1,001 turns; ask for 1 to 1000"},
		{"negative think", talks("", Sessions{Turns: 2, Think: Think{-time.Second, time.Second}}), "load.sessions.think: thinking for -1s"},
		{"think backwards", talks("", Sessions{Turns: 2, Think: Think{2 * time.Second, time.Second}}), "load.sessions.think: "},
		{"think alone", talks("", Sessions{Think: Think{time.Second, time.Second}}),
			"load.sessions.think: there is a time to think between turns, but there are no turns; add turns: 3, or --turns 3"},
		{"answer without sessions", talks("{answer}", Sessions{}), "stream.body: {answer} needs a session, and there are no turns"},
		{"answer of a single turn", talks("{answer}", Sessions{Turns: 1}), "stream.body: {answer} is in turn 1"},
		{"answer of the last turn", talks("{answer.3}", three), "stream.body: {answer.3} is in no turn after turn 3"},
		{"answer of turn 0", talks("{answer.0}", three), "stream.body: {answer.0} names no turn"},
		{"answer of a word", talks("{answer.x}", three), "stream.body: {answer.x} names no turn"},
	} {
		check(t, tt.name, &tt.o, tt.want)
	}
	o := talks("{answer}", three)
	o.App.Stream.Headers = map[string]string{"X": "{turn}"}
	check(t, "a header", &o, "stream.body: {turn} is in the path or a header")
	o = talks("", three)
	o.App.Stream.Endless.For = time.Second
	check(t, "a feed", &o, "load.sessions.turns: a session continues after a complete response")
}

func check(t *testing.T, name string, o *Options, want string) {
	t.Helper()
	err := o.Validate()
	var usage *UsageError
	if want == "" && err != nil || want != "" && (!errors.As(err, &usage) || !strings.HasPrefix(err.Error(), want) || usage.Fix == "") {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

// TestTurnsOfLines: the lines of a file say how many turns there are, and each place in
// them must have something to stand for.
func TestTurnsOfLines(t *testing.T) {
	for _, tt := range []struct {
		lines   string
		turns   int
		want    string
		answers load.Answers
		most    int
	}{
		{`{"turns": ["a", "{answer}"]}` + "\n" + `{"turns": ["a", "b", "{turn} {answer}"]}`, 0, "", load.LastAnswer, 3},
		{`{"turns": ["a", "b", "{answer.1}"]}`, 4, "", load.AllAnswers, 4},
		{`{"q": "{answer}"}`, 2, "", load.LastAnswer, 2},
		{`{"q": "{answer} of a template"}`, 0, "", load.NoAnswers, 0},
		{`{"turns": ["a", "b"]}`, 1, "load.sessions.turns: sessions have 1 turn, and line 1", 0, 0},
		{"{\"turns\": [\"a\"]}\n\n" + `{"turns": ["{answer}", "b"]}`, 0, "p.jsonl:3: {answer} is in turn 1", 0, 0},
		{`{"turns": ["a", "{answer.2}"]}`, 0, "p.jsonl:1: {answer.2} is in no turn after turn 2: this body is sent in turn 2", 0, 0},
	} {
		dir := t.TempDir()
		t.Chdir(dir)
		if err := os.WriteFile(filepath.Join(dir, "p.jsonl"), []byte(tt.lines), 0o644); err != nil {
			t.Fatal(err)
		}
		o := Options{Scenarios: []Scenario{{ID: "control"}}, Load: Load{Pattern: Pattern{Sessions: Sessions{Turns: tt.turns}}},
			App: App{URL: "http://127.0.0.1/x", Stream: Stream{Dialect: "openai-chat"}}}
		if err := o.UseRequests("p.jsonl"); err != nil {
			t.Fatal(err)
		}
		if check(t, tt.lines, &o, tt.want); tt.want != "" {
			continue
		}
		p, err := NewPlan(o)
		if err != nil {
			t.Fatal(err)
		}
		if tt.most > 0 && p.Answers() != tt.answers || p.Load.Turns() != tt.most {
			t.Errorf("%s: answers %d, %d turns", tt.lines, p.Answers(), p.Load.Turns())
		}
	}
}
