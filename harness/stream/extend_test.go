package stream_test

import (
	"fmt"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/stream"
)

func TestPage(t *testing.T) { page.Agrees(t, "README.md", "extend_test.go") }

// anything is the smallest dialect: whatever comes is content, and nothing proves
// that the answer is whole.
var anything = stream.Dialect{
	Name: "anything", Doc: "any SSE; nothing proves the end", Proves: "nothing",
	Format: stream.SSE,
	New:    func(stream.Ask) stream.Reader { return anyReader{} },
}

type anyReader struct{}

func (anyReader) Read(f *stream.Frame) stream.Event {
	if f.Comment {
		return stream.Event{Kind: stream.Heartbeat, Seq: -1}
	}
	return stream.Event{Kind: stream.Content, Seq: -1}
}

func (anyReader) Close(int) stream.Summary {
	return stream.Summary{State: stream.Prefix, Why: "nothing proves the end"}
}

// messages reads the Messages API of Anthropic: every event has a name, and
// message_stop is the last.
var messages = stream.Dialect{
	Name:   "messages",
	Doc:    "Anthropic's Messages API: the event message_stop",
	Proves: "the end is proved; events have no number, so one that was lost in the middle is not found",
	Format: stream.SSE,
	New:    func(stream.Ask) stream.Reader { return &messagesReader{} },
}

// A messagesReader follows one answer.
type messagesReader struct {
	sum    stream.Summary
	events int
}

// Read says what a frame means. It keeps nothing of f, whose bytes are used again.
func (r *messagesReader) Read(f *stream.Frame) stream.Event {
	if f.Comment {
		return stream.Event{Kind: stream.Heartbeat, Seq: -1}
	}
	r.events++
	if r.sum.Terminals > 0 {
		r.sum.AfterTerminal++
	}
	return stream.Event{Kind: r.kind(f), Seq: -1}
}

func (r *messagesReader) kind(f *stream.Frame) stream.Kind {
	switch string(f.Name) {
	case "ping":
		return stream.Heartbeat
	case "content_block_delta":
		return stream.Content
	case "message_stop":
		r.sum.Terminals++
		return stream.Terminal
	case "error":
		if r.sum.Errors++; r.sum.ErrorText == "" {
			r.sum.ErrorText = string(f.Data[:min(200, len(f.Data))])
		}
		return stream.Error
	default:
		return stream.Meta
	}
}

// Close sums up. More than 0 bytes of an unfinished frame are a cut inside it.
func (r *messagesReader) Close(partial int) stream.Summary {
	s := r.sum
	switch {
	case partial > 0:
		s.State, s.Why = stream.CutFrame, fmt.Sprintf("ends %d bytes into a frame", partial)
	case s.AfterTerminal > 0:
		s.State, s.Why = stream.Corrupt, "an event followed message_stop"
	case s.Terminals > 0:
		s.State = stream.Complete
	case r.events == 0:
		s.State, s.Why = stream.Empty, "no event"
	default:
		s.State, s.Why = stream.Prefix, "no message_stop"
	}
	return s
}

// read gives a body to a dialect, one byte at a time.
func read(d stream.Dialect, body string) stream.Summary {
	decoder, sink := d.Format.New(stream.Limits{}), printer{d.New(stream.Ask{})}
	for i := range body {
		if err := decoder.Push([]byte(body[i:i+1]), sink); err != nil {
			fmt.Println(err)
		}
	}
	return sink.r.Close(decoder.Close(sink))
}

func ExampleDialect() {
	const body = "event: message_start\ndata: {}\n\n" +
		"event: ping\ndata: {}\n\n" +
		"event: content_block_delta\ndata: {\"text\":\"Hi\"}\n\n" +
		"event: message_stop\ndata: {}\n\n"

	fmt.Println(read(anything, body).State)
	fmt.Println(read(messages, body).State)
	fmt.Println(read(messages, body[:len(body)-40]).Why)
	// Output:
	// content "{}"
	// content "{}"
	// content "{\"text\":\"Hi\"}"
	// content "{}"
	// valid prefix
	// meta "{}"
	// heartbeat "{}"
	// content "{\"text\":\"Hi\"}"
	// terminal "{}"
	// complete
	// meta "{}"
	// heartbeat "{}"
	// ends 38 bytes into a frame
}
