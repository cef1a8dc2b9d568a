// Package sdktest reads the conversations of the stream package with the clients of those
// who made the APIs, and what servers of others write with the dialects.
//
//  1. [conversations] loads the bodies that are written by hand from the documentation.
//  2. A reader is one SDK behind one function ([heard]): the SDK's own decoder, from an
//     HTTP response on.
//  3. [agree] holds what the SDK heard against what the dialect says, whole and cut.
//  4. servers_test.go turns it round: servers that this project did not write answer, and
//     dialects read them.
//
// It is a module of its own, so that none of these clients is a dependency of streamproof.
package sdktest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"golang.org/x/tools/txtar"

	"github.com/streamproof/streamproof/harness/stream"
)

// conversations are the bodies of a dialect by their names.
func conversations(t *testing.T, dialect string) map[string]string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("../testdata/conversations", dialect+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for _, f := range a.Files {
		bodies[f.Name] = string(f.Data)
		if dialect == "bedrock-eventstream" {
			bodies[f.Name] = messages(t, string(f.Data))
		}
	}
	return bodies
}

// messages are lines of event type and payload as AWS event stream messages, written by
// the encoder of AWS.
func messages(t *testing.T, lines string) string {
	t.Helper()
	var b bytes.Buffer
	for line := range strings.Lines(lines) {
		name, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind := "event"
		if exception, ok := strings.CutPrefix(name, "!"); ok {
			kind, name = "exception", exception
		}
		if name == "chunk" { // of InvokeModelWithResponseStream: the model's own JSON, wrapped
			payload = `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(payload)) + `"}`
		}
		headers := eventstream.Headers{}
		headers.Set(":message-type", eventstream.StringValue(kind))
		headers.Set(":"+kind+"-type", eventstream.StringValue(name))
		headers.Set(":content-type", eventstream.StringValue("application/json"))
		if err := eventstream.NewEncoder().Encode(&b, eventstream.Message{Headers: headers, Payload: []byte(payload)}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// An answer is a transport that answers every request with one body.
type answer struct{ media, body string }

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {a.media}}, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: -1, Request: r}, nil
}

func (a answer) client() *http.Client { return &http.Client{Transport: a} }

// A heard is what an SDK made of an answer.
type heard struct {
	err           error // what the SDK returned
	finished      bool  // it saw the end that its types have: a finish reason, the last event
	reason        string
	content       int  // events with content of any kind
	last          bool // the event with the end had content: a dialect counts it as the end
	input, output int64
}

func (h heard) String() string {
	return fmt.Sprintf("error %v; finished %v, reason %q, %d events with content, tokens %d and %d", h.err, h.finished, h.reason, h.content, h.input, h.output)
}

// A told is what the dialect made of it.
type told struct {
	stream.Summary
	content int
	partial int // bytes of an unfinished event at the end
}

func (d told) String() string {
	return fmt.Sprintf("%q (%s), %d errors (%s); finished %v, reason %q, %d events with content, tokens %+v", d.State, d.Why, d.Errors, d.ErrorText, d.Finished, d.Reason, d.content, d.Usage)
}

type teller struct {
	stream.Reader
	content int
}

// Frame implements [stream.Sink].
func (l *teller) Frame(f *stream.Frame) {
	if e := l.Read(f); e.Kind == stream.Content {
		l.content++
	}
}

func tell(t *testing.T, dialect, body string) told {
	t.Helper()
	d, ok := stream.Lookup(dialect)
	if !ok {
		t.Fatalf("no dialect %s", dialect)
	}
	sink, decoder := &teller{Reader: d.New(stream.Ask{})}, d.Format.New(stream.Limits{})
	if err := decoder.Push([]byte(body), sink); err != nil {
		t.Fatal(err)
	}
	partial := decoder.Close(sink)
	return told{sink.Close(partial), sink.content, partial}
}

// An odd is a conversation that an SDK reads otherwise than the dialect, and why that is
// the SDK's.
type odd map[string]string

// agree holds an SDK against a dialect: in whole conversations, and in those that are
// complete, cut cleanly at every place that matters.
func agree(t *testing.T, dialect string, skip, odds odd, read func(t *testing.T, name string, a answer) heard) {
	t.Helper()
	d, _ := stream.Lookup(dialect)
	for name, body := range conversations(t, dialect) {
		if why, ok := skip[name]; ok {
			t.Logf("%s/%s is not read: %s", dialect, name, why)
			continue
		}
		t.Run(name, func(t *testing.T) {
			media := d.Media[0]
			got, want := read(t, name, answer{media, body}), tell(t, dialect, body)
			wrong := differ(got, want)
			if why, known := odds[name]; known {
				if wrong == "" {
					t.Errorf("they agree by now, though it is said that %s", why)
				}
				return
			}
			if wrong != "" {
				t.Fatalf("%s\nthe SDK     %s\nstreamproof %s", wrong, got, want)
			}
			if want.State == stream.Complete {
				cuts(t, dialect, name, media, body, read)
			}
		})
	}
}

// differ is what an SDK and a dialect disagree about; "" for nothing.
func differ(got heard, want told) string {
	failed := want.Errors > 0
	switch {
	case want.State == stream.Complete && (got.err != nil || !got.finished):
		return "complete, and not for the SDK"
	case failed && got.err == nil && !want.Failing:
		return "an error that is no finish reason, and none for the SDK"
	case !failed && want.State == stream.Prefix && got.err == nil && got.finished && !want.Finished:
		return "cut, and complete for the SDK"
	case want.State != stream.Corrupt && !failed && got.err != nil:
		return "the SDK alone has an error"
	case got.err == nil && got.content != want.content && !(got.last && got.content == want.content+1):
		return "another number of events with content"
	case got.err == nil && got.input+got.output > 0 && (got.input != want.Usage.Input || got.output != want.Usage.Output):
		return "other numbers of tokens"
	}
	return ""
}

// cuts ends a complete body early, as a hop does that closes cleanly: no part of it may be
// complete for us and not for the SDK, and none complete for the SDK of which we do not at
// least say that the answer is over. Some SDKs take an event without its blank line.
//
// A part of an event behind the end is an error for some, and nothing is lost with it.
func cuts(t *testing.T, dialect, name, media, body string, read func(t *testing.T, name string, a answer) heard) {
	t.Helper()
	stride := max(1, len(body)/60)
	for n := 0; n < len(body); n++ {
		if n%stride != 0 && n < len(body)-8 {
			continue
		}
		got, want := read(t, name, answer{media, body[:n]}), tell(t, dialect, body[:n])
		ours := want.State == stream.Complete
		theirs := got.err == nil && got.finished
		finished := got.finished && (got.err == nil || want.partial > 0)
		unframed := strings.TrimRight(body[n:], "\n") == "" || want.partial > 0
		switch {
		case ours && !finished && !unframed:
			t.Fatalf("cut at byte %d of %d: complete, and for the SDK %s", n, len(body), got)
		case theirs && !ours && !want.Finished && !unframed:
			t.Fatalf("cut at byte %d of %d: complete for the SDK, and %q (%s)", n, len(body), want.State, want.Why)
		case want.Errors > 0 || want.State == stream.Corrupt:
			t.Fatalf("cut at byte %d of %d: %q (%s), %d errors", n, len(body), want.State, want.Why, want.Errors)
		}
	}
}
