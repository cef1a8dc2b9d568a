package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// What the bytes of an app say that stamps nothing, where no log is known: the
// cause, and the words that must stand in it.
func TestWords(t *testing.T) {
	clean := inStep(6, synth.Shape{End: synth.Clean, Mute: true})
	none := inStep(6, synth.Shape{Keep: synth.KeepNone, End: synth.Clean, Mute: true})
	content := func(change func(c *stream.Summary)) func(*record.Stream) {
		return func(s *record.Stream) { change(&s.Content) }
	}
	for _, tt := range []struct {
		name, dialect string
		build         func(*synth.Builder)
		change        func(*record.Stream)
		want          string
		words         []string // in its summary, evidence, fix or command
		never         []string
	}{
		{"prefix twice", "openai-chat", clean, content(func(c *stream.Summary) {
			c.State, c.Fault, c.Leftover = stream.Corrupt, stream.PrefixTwice, `data: {"choices":[]}`
		}), diagnose.FieldPrefixTwice, []string{"data: data:", `data: {\"choices\":[]}`}, []string{diagnose.CorruptContent}},
		{"joined, corrupt", "openai-chat", clean, content(func(c *stream.Summary) { c.State, c.Fault = stream.Corrupt, stream.Joined }), diagnose.EventsJoined, []string{"blank line"}, []string{diagnose.CorruptContent}},
		{"joined, cut", "openai-chat", clean, func(s *record.Stream) {
			s.Partial, s.Content.State, s.Content.Fault = 900, stream.CutFrame, stream.Joined
		}, diagnose.EventsJoined, nil, []string{diagnose.CutInFrame}},
		{"terminal without its blank line", "openai-chat", clean, func(s *record.Stream) {
			s.Partial, s.Content.State, s.Content.Fault, s.Content.Leftover = 13, stream.CutFrame, stream.TerminalOpen, "data: [DONE]"
		}, diagnose.TerminalUnended, []string{"data: [DONE]"}, []string{diagnose.CutInFrame, diagnose.SilentTruncation}},
		{"an error that is no event", "openai-chat", clean, content(func(c *stream.Summary) { c.Leftover = `{"error": {"message": "no wood"}}` }), diagnose.UnframedError, []string{"no wood"}, []string{diagnose.SilentTruncation}},
		{"a plain text error", "sse-generic", clean, content(func(c *stream.Summary) { c.Leftover = "Internal Server Error" }), diagnose.UnframedError, []string{"Internal Server Error"}, nil},
		{"a page of a proxy", "sse-generic", clean, content(func(c *stream.Summary) { c.Leftover = "<html><h1>x</h1>" }), diagnose.UnframedError, nil, nil},
		{"fields that nobody knows are no error", "sse-generic", clean, content(func(c *stream.Summary) { c.Leftover = "trace: 7f" }), diagnose.SilentTruncation, nil, []string{diagnose.UnframedError}},
		{"the start of an event is no error", "sse-generic", clean, func(s *record.Stream) {
			s.Bytes = int64(1000 * s.Seq)
			s.Partial, s.Content.State, s.Content.Leftover = 20, stream.CutFrame, `data: {"error": {"mess`
		}, diagnose.CutInFrame, nil, []string{diagnose.UnframedError}},

		{"given up", "openai-chat", inStep(6, synth.Shape{Mute: true}), content(func(c *stream.Summary) {
			c.State, c.Errors, c.Failing, c.Reason, c.ErrorText = stream.Prefix, 1, true, "abort", `the answer ended for the reason "abort"`
		}), diagnose.FailureReason, []string{`"abort" on 6`, "6 of 6 streams sent the terminal"}, []string{diagnose.ErrorThenTerminal}},

		{"an error document", "openai-chat", none, document("application/json", `{"error":{"message":"the quota is used up","code":429}}`), diagnose.ErrorDocument, []string{"the quota is used up"}, []string{diagnose.OutlivesResources}},
		{"an error document without its type", "sse-generic", none, func(s *record.Stream) {
			s.Start, s.Content.Form = `{"detail": "not today"}`, stream.FormJSON
		}, diagnose.ErrorDocument, []string{"not today"}, []string{diagnose.OutlivesResources}},
		{"another dialect", "openai-chat", none, func(s *record.Stream) { s.Content.Form, s.Content.State = stream.FormAnthropic, stream.Prefix }, diagnose.WrongDialect,
			[]string{"--dialect anthropic-messages"}, []string{diagnose.OutlivesResources, diagnose.CorruptContent}},
		{"a media type of another dialect", "sse-generic", none, func(s *record.Stream) {
			s.ContentType, s.Content.Form = "application/vnd.amazon.eventstream", stream.FormAWS
		}, diagnose.WrongDialect, []string{"application/vnd.amazon.eventstream", "--dialect bedrock-eventstream"}, []string{diagnose.OutlivesResources, diagnose.CutInFrame}},
		{"a media type", "sse-generic", none, func(s *record.Stream) {
			s.ContentType, s.Content.Form = "application/grpc-web+proto", stream.FormGRPC
		}, diagnose.FormNotRead, []string{"application/grpc-web+proto"}, []string{diagnose.OutlivesResources, diagnose.CutInFrame}},
		{"an encoding", "sse-generic", none, func(s *record.Stream) { s.Encoding, s.Content.Form = "xz", stream.FormEncoded }, diagnose.FormNotRead, []string{"Accept-Encoding: identity"}, nil},

		{"the wrong terminal", "sse-generic", clean, content(func(c *stream.Summary) { c.LastEvent, c.Ends = "event: bye, data: {}", []string{"event == bye"} }), diagnose.TerminalUnmatched, []string{"--terminal 'event == bye'"}, nil},
		{"no end to offer", "sse-generic", clean, lastEvent("event: tick, data: {}"), diagnose.TerminalUnmatched, []string{"no expression that we know"}, nil},
		{"a terminal that others follow", "sse-generic", inStep(6, synth.Shape{Mute: true}), content(func(c *stream.Summary) {
			c.State, c.Fault, c.Terminals, c.Early, c.Ends = stream.Corrupt, stream.AfterTerminal, 4, 3, []string{"data == END"}
		}), diagnose.TerminalTooBroad, []string{"event 3 of", "--terminal 'data == END'"}, []string{diagnose.TerminalTwice, diagnose.CorruptContent}},
		{"over, and left open", "openai-chat", inStep(6, synth.Shape{End: synth.Silent(gap), Mute: true}), content(func(c *stream.Summary) { c.Finished, c.Reason = true, "stop" }), diagnose.MissingTerminal, []string{`"stop"`}, []string{diagnose.BlockedLoop, diagnose.StallInApp}},
		{"over without done", "ollama", clean, content(func(c *stream.Summary) { c.Finished, c.Reason = true, "stop" }), diagnose.TerminalNotSent, []string{"--dialect ndjson-generic"}, nil},

		{"a feed", "sse-generic", inStep(6, synth.Shape{Events: 200, Keep: 190, End: synth.Silent(gap), Mute: true}), func(s *record.Stream) {
			s.Limit, s.End = record.TotalLimit, s.Last+20*ms
			s.ProgressGap, s.MaxGap = 60*ms, 60*ms
		}, diagnose.NeverEnds, []string{"--endless 10s,5"}, []string{diagnose.StallInApp, diagnose.BlockedLoop}},
		{"split characters, no reference", "openai-chat", inStep(6, synth.Shape{Mute: true}), content(func(c *stream.Summary) { c.Replaced, c.Split = 4, 2 }), diagnose.SplitCharacters, []string{"side by side in 2"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := attachedTo(tt.dialect)
			tt.build(b)
			with(b, tt.change)
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want {
				t.Fatalf("causes = %q, want %q first", names(causes), tt.want)
			}
			c := causes[0]
			text := strings.Join([]string{c.Summary, c.Fix, c.Settle, fmt.Sprint(c.Evidence)}, "\n")
			for _, w := range tt.words {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in\n%s", w, text)
				}
			}
			for _, n := range tt.never {
				for _, c := range causes {
					if c.Cause == n {
						t.Errorf("named %q as well", n)
					}
				}
			}
		})
	}
}

// A stream that ended at once after its head is no sign of closed resources where
// something else explains the one event: a wait, a body that was not read, bytes
// that were no event.
func TestResourcesAreNoCatchAll(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*record.Stream)
		want   bool
	}{
		{"at once", func(*record.Stream) {}, true},
		{"after a wait", func(s *record.Stream) { s.End += 2 * sec }, false},
		{"a redirect", func(s *record.Stream) { s.Status = 302 }, false},
		{"bytes that were no event", func(s *record.Stream) { s.Content.Leftover = "hello" }, false},
		{"not read", func(s *record.Stream) { s.Content.Form = stream.FormMedia }, false},
	} {
		b := attachedTo("openai-chat")
		b.Add(6, synth.Shape{Keep: synth.KeepNone, End: synth.Clean, Mute: true})
		with(b, tt.change)
		got := false
		for _, c := range causesOf(b) {
			got = got || c.Cause == diagnose.OutlivesResources
		}
		if got != tt.want {
			t.Errorf("%s: named %v, want %v", tt.name, got, tt.want)
		}
	}
}
