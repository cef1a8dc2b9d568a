package stream_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ag-ui-protocol/ag-ui/sdks/community/go/pkg/core/events"
	agui "github.com/ag-ui-protocol/ag-ui/sdks/community/go/pkg/encoding/sse"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/streamproof/streamproof/harness/stream"
)

// A served is the body that a server of others' code writes, and its media type.
func served(t *testing.T, handler http.HandlerFunc) (media, body string) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.Header.Get("Content-Type"), b.String()
}

// whole holds that a body is complete, recognised for sure, and that no cut of it before
// its terminal is complete, corrupt or an error.
func whole(t *testing.T, dialect, media, body string, end int) {
	t.Helper()
	if s := summary(t, dialect, body); s.State != stream.Complete || s.Errors > 0 {
		t.Errorf("%+v\n%q", s, body)
	}
	if g := stream.Identify(media, []byte(body))[0]; g.Dialect != dialect || !g.Certain {
		t.Errorf("taken for %+v", g)
	}
	for n := range end {
		if s := summary(t, dialect, body[:n]); s.State == stream.Complete || s.State == stream.Corrupt || s.Errors > 0 {
			t.Fatalf("cut at byte %d: %+v", n, s)
		}
	}
}

// What the SDK of AG-UI writes is complete, failed, or, where it is cut, neither.
func TestRealAGUIServer(t *testing.T) {
	serve := func(t *testing.T, all ...events.Event) (media, body string) {
		return served(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, e := range all {
				if err := agui.NewSSEWriter().WriteEvent(r.Context(), w, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	begun := []events.Event{
		events.NewRunStartedEvent("t1", "r1"), events.NewStepStartedEvent("think"),
		events.NewReasoningStartEvent("s1"), events.NewReasoningMessageStartEvent("h1", "reasoning"),
		events.NewReasoningMessageContentEvent("h1", "hm"), events.NewReasoningMessageEndEvent("h1"), events.NewReasoningEndEvent("s1"),
		events.NewStepFinishedEvent("think"),
		events.NewToolCallStartEvent("c1", "fire"), events.NewToolCallArgsEvent("c1", `{"t":1240}`), events.NewToolCallEndEvent("c1"),
		events.NewTextMessageStartEvent("m1", events.WithRole("assistant")), events.NewTextMessageContentEvent("m1", "fired at "),
	}
	ended := append(begun[:len(begun):len(begun)], events.NewTextMessageContentEvent("m1", "1,240 °C"), events.NewTextMessageEndEvent("m1"), events.NewRunFinishedEvent("t1", "r1"))
	media, body := serve(t, ended...)
	whole(t, "ag-ui", media, body, strings.LastIndex(body, "}"))
	s := summary(t, "ag-ui", body)
	if s.Reasoning != 1 || s.Tools != 2 {
		t.Errorf("%d events of reasoning and %d of tools, want 1 and 2", s.Reasoning, s.Tools)
	}
	_, body = serve(t, append(begun[:len(begun):len(begun)], events.NewRunErrorEvent("the kiln went out"))...)
	if s := summary(t, "ag-ui", body); s.Errors != 1 || s.State == stream.Complete || s.ErrorText != "the kiln went out" {
		t.Errorf("%+v\n%s", s, body)
	}
	_, body = serve(t, append(begun[:len(begun):len(begun)], events.NewRunFinishedEvent("t1", "r1"))...)
	if s := summary(t, "ag-ui", body); s.State != stream.Corrupt || s.Fault != stream.Misnested {
		t.Errorf("a run that finished with an open message, which clients reject: %+v", s)
	}
}

// converse encodes messages with the encoder of AWS.
func converse(t *testing.T, kind string, messages ...[2]string) string {
	t.Helper()
	var b bytes.Buffer
	for _, m := range messages {
		headers := eventstream.Headers{}
		headers.Set(":message-type", eventstream.StringValue(kind))
		headers.Set(":"+kind+"-type", eventstream.StringValue(m[0]))
		headers.Set(":content-type", eventstream.StringValue("application/json"))
		if err := eventstream.NewEncoder().Encode(&b, eventstream.Message{Headers: headers, Payload: []byte(m[1])}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// What the encoder of AWS writes is complete, failed, or, where it is cut, neither; a
// byte that changed on the way breaks a checksum.
func TestRealEventStream(t *testing.T) {
	begun := converse(t, "event",
		[2]string{"messageStart", `{"role":"assistant"}`},
		[2]string{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"fired at 1,240 °C"}}`},
		[2]string{"contentBlockStop", `{"contentBlockIndex":0}`})
	stop := converse(t, "event", [2]string{"messageStop", `{"stopReason":"end_turn"}`})
	usage := converse(t, "event", [2]string{"metadata", `{"usage":{"inputTokens":20,"outputTokens":9,"totalTokens":29},"metrics":{"latencyMs":1340}}`})
	media, body := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		w.Write([]byte(begun + stop + usage))
	})
	whole(t, "bedrock-eventstream", media, body, len(begun)+len(stop)-1)
	if u := summary(t, "bedrock-eventstream", body).Usage; u.Input != 20 || u.Output != 9 {
		t.Errorf("tokens %+v, want 20 and 9", u)
	}
	failed := begun + converse(t, "exception", [2]string{"throttlingException", `{"message":"Too many requests"}`})
	if s := summary(t, "bedrock-eventstream", failed); s.Errors != 1 || s.State == stream.Complete || s.ErrorText != "Too many requests" {
		t.Errorf("%+v", s)
	}
	for i := range begun {
		bad := []byte(begun + stop)
		if bad[i] ^= 0x20; summary(t, "bedrock-eventstream", string(bad)).State == stream.Complete {
			t.Fatalf("byte %d changed on the way, and the answer counts as complete", i)
		}
	}
}
