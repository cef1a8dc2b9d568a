package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A forum is a chat app that remembers each text that it gave out, and for which turn. It
// checks that a later turn holds the answer to the one before, which no other turn did.
type forum struct {
	failing int // the turn whose answers are cut

	mu    sync.Mutex
	given map[string]int
	used  map[string]bool
	wrong string      // the first request that was not as it must be
	turns map[int]int // requests by turn
}

// ask checks a request and returns the answer to it.
func (f *forum) ask(r *http.Request) (turn int, text string) {
	var q struct {
		Turn        int
		Last, First string
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	err := json.NewDecoder(r.Body).Decode(&q)
	switch {
	case err != nil:
		f.wrong = err.Error()
	case q.Turn < 1, q.Turn == 1 && q.Last+q.First != "", q.Turn > 1 && f.given[q.Last] != q.Turn-1,
		q.Turn > 1 && f.given[q.First] != 1, q.Turn > 1 && f.used[q.Last]:
		f.wrong = fmt.Sprintf("%+v", q)
	}
	f.used[q.Last] = true
	f.turns[q.Turn]++
	text = fmt.Sprintf("\"fern\" %d\n\\ é 😀", len(f.given))
	f.given[text] = q.Turn
	return q.Turn, text
}

func (f *forum) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	turn, text := f.ask(r)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(format string, args ...any) {
		fmt.Fprintf(w, format, args...)
		http.NewResponseController(w).Flush()
	}
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) } // a text always encodes
	at := strings.Index(text, "\n")
	if r.URL.Path == "/openai-chat" {
		send("%s", chat(`"delta":{"content":`+quoted(text[:at])+"}"))
		if turn == f.failing {
			panic(http.ErrAbortHandler)
		}
		send("%s", chat(`"delta":{"content":`+quoted(text[at:])+"}"))
		send("%sdata: [DONE]\n\n", chat(`"delta":{},"finish_reason":"stop"`))
		return
	}
	send("%s", event("message_start", `{"type":"message_start","message":{"usage":{"input_tokens":1}}}`))
	send("%s", event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
	for _, s := range []string{text[:at], text[at:]} {
		send("%s", event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`+quoted(s)+"}}"))
	}
	send("%s", event("content_block_stop", `{"type":"content_block_stop","index":0}`))
	send("%s", event("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`))
	send("%s", event("message_stop", `{"type":"message_stop"}`))
}

// TestSessions: the program has conversations with an app that knows nothing of it, from
// one process and from three.
func TestSessions(t *testing.T) {
	t.Parallel()
	program := program(t)
	body := `{"turn": {turn}, "last": "{answer}", "first": "{answer.1}"}`
	line := `{"turns": [{"turn": 1}, {"turn": 2, "last": "{answer}", "first": "{answer.1}"}]}` + "\n"
	for _, tt := range []struct {
		name, dialect string
		failing       int
		args          []string
		code          int
		turns         []int // requests; those of turn 1 without the stream that goes alone
		want          string
	}{
		{"one process", "openai-chat", 0, []string{"-d", body, "--turns", "3", "--think", "10ms..50ms"}, exitPass, []int{6, 6, 6},
			"6 sessions of up to 3 turns: 6 finished"},
		{"three load workers", "openai-chat", 0, []string{"-d", body, "--turns", "3", "--think", "10ms..50ms", "--load-workers", "3"},
			exitPass, []int{6, 6, 6}, "6 sessions of up to 3 turns: 6 finished"},
		{"Anthropic", "anthropic-messages", 0, []string{"-d", body, "--turns", "2"}, exitPass, []int{6, 6}, "6 sessions of up to 2 turns: 6 finished"},
		{"Anthropic, three load workers", "anthropic-messages", 0, []string{"-d", body, "--turns", "2", "--load-workers", "3"},
			exitPass, []int{6, 6}, "6 sessions of up to 2 turns: 6 finished"},
		{"bodies of a file", "openai-chat", 0, []string{"--load-prompts", "p.jsonl"}, exitPass, []int{6, 6}, "6 sessions of up to 2 turns: 6 finished"},
		{"turn 2 is cut", "openai-chat", 2, []string{"-d", body, "--turns", "3"}, exitFail, []int{6, 6},
			"6 sessions of up to 3 turns: 0 finished, 6 ended by a turn without a complete response, 6 turns not sent"},
		{"no turn 2", "openai-chat", 0, []string{"-d", body, "--turns", "2", "--think", "1h", "--duration", "500ms"}, exitPass, []int{6},
			"0 finished, 6 not continued because the load ended, 6 turns not sent; no session reached turn 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &forum{failing: tt.failing, given: map[string]int{}, used: map[string]bool{}, turns: map[int]int{}}
			srv := httptest.NewServer(f)
			defer srv.Close()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "p.jsonl"), []byte(line), 0o644); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"run", srv.URL + "/" + tt.dialect, "--dialect", tt.dialect, "-m", "POST", "-c", "6", "-o", "run",
				"-H", "Content-Type: application/json", "--export", "rows.csv"}, tt.args...)
			out, code := invoke(t, program, dir, "", args...)
			if code != tt.code || !strings.Contains(strings.Join(strings.Fields(out), " "), tt.want) {
				t.Errorf("exit code %d, want %d and %q", code, tt.code, tt.want)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.turns[1]--
			for i, n := range append(tt.turns, 0) {
				if f.turns[i+1] != n {
					t.Errorf("turn %d was asked %d times, want %d", i+1, f.turns[i+1], n)
				}
			}
			if f.wrong != "" {
				t.Errorf("the app was asked %s", f.wrong)
			}
			checkRun(t, dir, len(tt.turns))
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// checkRun holds what a run wrote to its turns.
func checkRun(t *testing.T, dir string, turns int) {
	t.Helper()
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var verdict struct {
		Scenarios []struct {
			Sessions struct {
				Sessions int
				ByTurn   []struct{ Turn, Started int } `json:"by_turn"`
			}
		}
	}
	if err := json.Unmarshal([]byte(text("run/verdict.json")), &verdict); err != nil {
		t.Fatal(err)
	}
	if s := verdict.Scenarios[0].Sessions; s.Sessions != 6 || len(s.ByTurn) != turns || s.ByTurn[turns-1].Started != 6 {
		t.Errorf("verdict.json: %+v", s)
	}
	if !strings.Contains(text("run/report.html"), "<h3>Turn by turn</h3>") {
		t.Error("report.html has no table of turns")
	}
	head, rest, _ := strings.Cut(text("rows.csv"), "\n")
	at := map[string]int{}
	for i, name := range strings.Split(head, ",") {
		at[name] = i
	}
	n := 0
	for _, row := range strings.Split(strings.TrimSpace(rest), "\n") {
		if cells := strings.Split(row, ","); cells[at["turn"]] == fmt.Sprint(turns) && cells[at["session"]] != "0" {
			n++
		}
	}
	if n != 6 {
		t.Errorf("rows.csv has %d streams of turn %d", n, turns)
	}
}

// TestSessionsThatCannotBe: one line names the place and the fix, and nothing is started.
func TestSessionsThatCannotBe(t *testing.T) {
	t.Parallel()
	program := program(t)
	for args, want := range map[string]string{
		"--turns 0":                        `--turns`,
		"--turns 2 --think -1s":            `--think`,
		"--turns 2 --think 5s..1s":         `"5s..1s" begins with the longer time`,
		"--think 1s":                       "--think: there is a time to think between turns, but there are no turns; add turns: 3, or --turns 3",
		"--turns 1 -d {answer}":            "--body: {answer} is in turn 1",
		"--turns 2 -d {answer.2}":          "--body: {answer.2} is in no turn after turn 2",
		"-d {answer}":                      "--body: {answer} needs a session",
		"--turns 2 --endless 10s,5":        "--turns: a session continues after a complete response",
		"--turns 2 --load-prompts p.jsonl": "p.jsonl:2: {answer.2} is in no turn after turn 2",
		"--turns 1 --load-prompts p.jsonl": "--turns: sessions have 1 turn, and line 1",
		"-f s.yaml --scenario control":     "s.yaml:2:",
		"-f d.yaml --scenario control --dialect openai-chat --turns 2 --header a:{turn}": "{turn} is in the path or a header",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{"p.jsonl": `{"turns": [{}, {}]}` + "\n" + `{"turns": [{}, {"a": "{answer.2}"}]}`,
				"s.yaml": "stream: {body: x}\nload: {sessions: {turns: 0}}\n", "d.yaml": "strict: true\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			all := append([]string{"run", "http://127.0.0.1:1/x", "--dialect", "openai-chat"}, strings.Fields(args)...)
			out, code := invoke(t, program, dir, "", all...)
			if code != exitUsage || strings.Count(out, "streamproof: ") != 1 || !strings.Contains(out, want) {
				t.Errorf("exit code %d, want %d and %q\n%s", code, exitUsage, want, out)
			}
		})
	}
}
