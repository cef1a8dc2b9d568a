package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// says is an answer as a server writes it: its media type, and its pieces, which
// are written a little apart. A piece "…" goes on for ever with the one before.
type says struct {
	media  string
	pieces []string
}

func (a says) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.media != "" {
		w.Header().Set("Content-Type", a.media)
	}
	for i := 0; i < len(a.pieces); i++ {
		if a.pieces[i] == "…" {
			i--
		}
		if _, err := io.WriteString(w, a.pieces[i]); err != nil || r.Context().Err() != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(10 * time.Millisecond)
		if i+1 < len(a.pieces) && a.pieces[i+1] == "…" {
			time.Sleep(40 * time.Millisecond)
		}
	}
}

func chat(choice string) string {
	return `data: {"object":"chat.completion.chunk","choices":[{"index":0,` + choice + "}]}\n\n"
}

func event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// What servers say that know nothing of us, through the front door: the exit code,
// what the report must and must not say, and that its commands run.
func TestWordsOfStrangers(t *testing.T) {
	t.Parallel()
	const sse, done = "text/event-stream", "data: [DONE]\n\n"
	fern, moss := chat(`"delta":{"content":"fern"}`), chat(`"delta":{"content":"moss"}`)
	stop, abort := chat(`"delta":{},"finish_reason":"stop"`), chat(`"delta":{},"finish_reason":"abort"`)
	generic := func(terminal string, more ...string) []string {
		return append([]string{"--dialect", "sse-generic", "--terminal", terminal}, more...)
	}
	openai := []string{"--dialect", "openai-chat"}
	for _, tt := range []struct {
		name   string
		answer says
		args   []string
		code   int
		want   []string
		lacks  []string
	}{
		{"heartbeats of all kinds",
			says{sse, []string{"data:\n\n", fern, "event: ping\ndata: \"\"\n\n", ":\n\n", moss, "data: \n\n", stop, done}},
			openai, exitPass, []string{"complete"}, nil},
		{"given up", says{sse, []string{fern, moss, abort, done}}, openai, exitFail,
			[]string{"failed cleanly", `the answer ended for the reason "abort"`, "finish reason says that it failed"},
			[]string{"error followed by the terminal"}},
		{"given up, read by its sentinel", says{sse, []string{fern, moss, abort, done}}, generic("data == [DONE]"), exitFail,
			[]string{"failed cleanly"}, nil},
		{"no [DONE]", says{sse, []string{fern, stop, `data: {"choices":[],"usage":{"total_tokens":4}}` + "\n\n"}}, openai,
			exitFail, []string{"terminal never sent", "--terminal 'json .choices[0].finish_reason exists'"},
			[]string{"corrupt"}},
		{"no [DONE], read as the advice says",
			says{sse, []string{fern, stop, `data: {"choices":[],"usage":{"total_tokens":4}}` + "\n\n"}},
			append(openai, "--terminal", "json .choices[0].finish_reason exists"), exitPass, nil, nil},
		{"prefix twice", says{sse, []string{"data: " + fern, "data: " + stop, "data: " + done}}, openai, exitFail,
			[]string{"field prefix sent twice"}, []string{"content corrupted"}},
		{"joined", says{sse, []string{fern[:len(fern)-1], stop[:len(stop)-1], done}}, openai, exitFail,
			[]string{"no blank line between events"}, []string{"content corrupted"}},
		{"a last event without its end", says{sse, []string{fern, stop, "data: [DONE]\n"}}, openai, exitFail,
			[]string{"terminal lacks its blank line", `data: [DONE]`, "truncated"}, []string{"outlives"}},
		{"an error that is no event", says{sse, []string{fern, `{"error":{"message":"the bog dried up"}}`}}, openai, exitFail,
			[]string{"error text outside of any event", "the bog dried up"}, nil},
		{"an error document", says{"application/json", []string{`{"error":{"message":"the bog is closed"}}`}}, openai,
			exitFail, []string{"error document behind status 200", "the bog is closed"}, []string{"outlives"}},

		{"a named failure", says{sse, []string{event("leaf", "1"), event("walk_failed", `{"message":"it rained"}`)}},
			generic("event == walk_done"), exitFail, []string{"failed cleanly", "it rained"},
			[]string{"--terminal 'event == walk_failed'"}},
		{"a step that failed",
			says{sse, []string{event("leaf", "1"), event("leaf_failed", "{}"), event("leaf", "2"), event("walk_done", "{}")}},
			generic("event == walk_done"), exitPass, nil, nil},
		{"the user's failure", says{sse, []string{event("leaf", "1"), event("note", `{"code":"frost","message":"too cold"}`),
			event("walk_done", "{}")}}, generic("event == walk_done", "--error", "json .code in (frost, hail)"), exitFail,
			[]string{"too cold"}, nil},
		{"the user's failure, not met", says{sse, []string{event("leaf", "1"), event("walk_done", "{}")}},
			generic("event == walk_done", "--error", "json .code in (frost, hail)"), exitPass, nil, nil},
		{"a terminal that others follow",
			says{sse, []string{event("leaf", `{"ok":true}`), event("leaf", `{"ok":true}`), event("walk_done", `{"ok":true}`)}},
			generic("json .ok == true"), exitInconclusive, []string{"event 1 of 3", "--terminal 'event == walk_done'"},
			[]string{"cause: terminal sent twice", "corrupt"}},
		{"a terminal that never comes", says{sse, []string{event("leaf", "1"), event("leaf", "2"), event("walk_done", "{}")}},
			generic("event == bye"), exitFail, []string{"--terminal 'event == walk_done'"}, nil},

		{"lines read as events", says{"application/x-ndjson", []string{"{\"leaf\":1}\n", "{\"leaf\":2}\n"}}, openai,
			exitInconclusive, []string{"unread", "--dialect ndjson-generic"}, []string{"corrupt,", "outlives"}},
		{"a binary media type", says{"application/vnd.amazon.eventstream", []string{"\x00\x00\x00\x10", "\x00\x01"}}, openai,
			exitInconclusive, []string{"unread", "application/vnd.amazon.eventstream"}, []string{"outlives"}},
		{"lines of a prefix", says{"text/plain", []string{"0:\"fern\"\n", "0:\"moss\"\n", "d:{}\n"}},
			generic("event == done"), exitInconclusive, []string{"unread"}, []string{"not a stream"}},

		{"an error in lines of a prefix, read as text", says{"text/plain", []string{"0:\"fern\"\n", "3:\"frost\"\n"}},
			[]string{"--dialect", "text"}, exitInconclusive, []string{"unread", "Vercel"}, nil},
		{"an error in events, read as text", says{sse, []string{fern, "data: {\"error\":\"frost\"}\n\n"}},
			[]string{"--dialect", "text"}, exitInconclusive, []string{"unread", "--dialect openai-chat"}, nil},
		{"a text", says{"text/plain", []string{"fern ", "and moss"}}, []string{"--dialect", "text", "--sentinel", "moss"},
			exitPass, nil, nil},

		{"a feed", says{sse, []string{event("leaf", "1"), "…"}}, []string{"--dialect", "sse-generic", "--endless", "600ms,3"},
			exitPass, nil, nil},
		{"a feed of too little", says{sse, []string{event("leaf", "1"), "…"}},
			[]string{"--dialect", "sse-generic", "--endless", "600ms,300"}, exitFail,
			[]string{"at least 300 must come", "too few events in the feed"}, []string{"cause: stall in the app"}},
		{"a feed that ends", says{sse, []string{event("leaf", "1"), event("leaf", "2"), event("leaf", "3")}},
			[]string{"--dialect", "sse-generic", "--endless", "2s,1"}, exitFail, []string{"truncated", "the feed ended"}, nil},
		{"a feed, not said so", says{sse, []string{event("leaf", "1"), "…"}}, generic("event == done", "--total-limit", "1s"),
			exitInconclusive, []string{"does this feed end?", "--endless 10s,5"}, []string{"cause: stall in the app"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.answer)
			defer srv.Close()
			var out bytes.Buffer
			dir := filepath.Join(t.TempDir(), "run")
			code := run(t.Context(),
				append([]string{"run", "--url", srv.URL + "/walk", "--streams", "4", "--no-color", "-o", dir}, tt.args...), &out,
				io.Discard)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			page, err := os.ReadFile(filepath.Join(dir, "report.html"))
			if err != nil {
				t.Error(err)
			}
			for _, wrong := range unpastable(dir) {
				t.Error(wrong)
			}
			runsCommands(t, filepath.Dir(dir), dir, srv.URL, code)
			text := strings.Join(strings.Fields(out.String()), " ")
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not said", w)
				}
			}
			for _, w := range tt.lacks {
				if strings.Contains(text, w) {
					t.Errorf("%q is said", w)
				}
			}
			if tt.name == "an error that is no event" && !bytes.Contains(page, []byte("the bog dried up")) {
				t.Error("the page does not show the bytes that are no event")
			}
			if t.Failed() {
				t.Log(fmt.Sprint(out.String()))
			}
		})
	}
}
