package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// silentCuts are n streams among whole ones, each cut after 2 s of silence.
func silentCuts(b *synth.Builder, n int) []time.Duration {
	return spreadOut(b, n, synth.Shape{Keep: 5, End: func(s *record.Stream, last time.Duration) {
		synth.FIN(s, last)
		s.End = last + 2*sec
	}})
}

const timedOutLine = "2026/11/25 12:00:02 [error] 7#7: *1 " +
	"upstream timed out (110: Connection timed out) while reading upstream"

// What an app raises since the edge left it is no cause: the edge's own word is. An
// exception at an end of which the edge says nothing stays one.
func TestConsequenceIsNoCause(t *testing.T) {
	for _, tt := range []struct {
		name   string
		raises string
		lines  int // of the edge
		want   string
		raised bool // it is a cause as well
	}{
		{"aborted, as every client's leaving", "DOMException [AbortError]: This operation was aborted\n" +
			"    at new DOMException (node:internal/per_context/domexception:53:5)", 8, diagnose.ProxyReadTimeout,
			false},
		{"words that nobody knows", "TypeError: the reader is gone\n    at pump (/srv/app.js:9:11)", 8,
			diagnose.ProxyReadTimeout, false},
		{"no word of the edge", "TypeError: the reader is gone\n    at pump (/srv/app.js:9:11)", 0, diagnose.AppError, true},
		{"a word about one of them", "TypeError: the reader is gone\n    at pump (/srv/app.js:9:11)", 1,
			diagnose.ProxyReadTimeout, true},
	} {
		b := stranger()
		ends := silentCuts(b, 8)
		logAt(b, record.NginxError, ends[:tt.lines], func(int) string { return timedOutLine })
		app(b)
		for _, end := range ends {
			for _, text := range strings.Split(tt.raises, "\n") {
				line(b, len(b.Run.Logs)-1, end+20*ms, text)
			}
		}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != tt.want || causes[0].Confidence != "certain" ||
			slices.Contains(names(causes), diagnose.AppError) != tt.raised {
			t.Errorf("%s: want %q:\n%s", tt.name, tt.want, evidence(causes))
		}
	}
}

// A failure of what the app itself had asked is the app's, though its words are those
// of a client that left.
func TestUpstreamOfTheApp(t *testing.T) {
	b := stranger()
	ends := spreadOut(b, 8, synth.Shape{Keep: 5, End: synth.FIN})
	app(b)
	for _, end := range ends {
		for _, text := range []string{"ERROR:    Exception in ASGI application", "Traceback (most recent call last):",
			"aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected"} {
			line(b, len(b.Run.Logs)-1, end, text)
		}
	}
	causes := toldOf(b)
	if len(causes) == 0 || causes[0].Cause != diagnose.AppError || causes[0].Confidence != "certain" {
		t.Errorf("want %q:\n%s", diagnose.AppError, evidence(causes))
	}
}

// An exception of the streams counts beside one that a server told of another request,
// and one that stands in the log twice counts once.
func TestTracebackBesideException(t *testing.T) {
	build := func(says string) *synth.Builder {
		b := stranger()
		ends := spreadOut(b, 8, synth.Shape{Keep: 5, End: synth.FIN})
		app(b, exceptionAt(20*sec)...)
		for _, end := range ends {
			for _, text := range []string{"Traceback (most recent call last):", says} {
				line(b, len(b.Run.Logs)-1, end, text)
			}
		}
		return b
	}
	if c := toldOf(build("KeyError: 'choices'")); len(c) == 0 ||
		c[0].Cause != diagnose.AppError || c[0].Confidence != "certain" {
		t.Errorf("exceptions of their own:\n%s", evidence(c))
	}
	if c := toldOf(build("ValueError: model exploded")); len(c) > 0 && c[0].Confidence == "certain" {
		t.Errorf("told of already:\n%s", evidence(c))
	}
}

// A log with tracebacks in a form that nobody can read does not say that there were none.
func TestUnreadTraces(t *testing.T) {
	for text, silent := range map[string]bool{
		`{"level":"error","msg":"failed","stack":"E: boom\n at a strange place"}`: true,
		`{"level":"info","msg":"all is well"}`:                                    false,
	} {
		b := attachedTo("openai-chat")
		b.Add(20, synth.Shape{Keep: 10, End: synth.Clean, Mute: true})
		app(b, at(endOfTen, text))
		c := toldOf(b)
		if len(c) == 0 || strings.Contains(evidence(c), "no exception in the app's log") == silent {
			t.Errorf("%s: want silent %v:\n%s", text, silent, evidence(c))
		}
	}
}
