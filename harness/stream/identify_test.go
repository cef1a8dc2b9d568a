package stream

import (
	"fmt"
	"strings"
	"testing"
)

// What nothing reads is said to be unknown, with what it is most like.
func TestIdentifyUnknown(t *testing.T) {
	for _, tt := range []struct{ name, media, body, like string }{
		{"gRPC-Web", "application/grpc-web+proto", "\x00\x00\x00\x00\x05\x0a\x03abc", "bedrock-eventstream"},
		{"gRPC without a media type", "", "\x00\x00\x00\x00\x05\x0a\x03abc", "bedrock-eventstream"},
		{"a multipart body", "multipart/x-mixed-replace; boundary=a", "--a\r\nContent-Type: text/plain\r\n\r\nhello\r\n--a--", "text"},
		{"JSON text sequences (RFC 7464)", "application/json-seq", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", "text"},
		{"a page", "text/html", "<!DOCTYPE html><p>hello", "text"},
		{"one JSON document", "application/json", "{\"answer\": \"hello\",\n \"tokens\": 3}", "ndjson-generic"},
		{"bytes", "application/octet-stream", "\x93\xff\x00\x12\xfe", "text"},
	} {
		gs := Identify(tt.media, []byte(tt.body))
		if len(gs) == 0 || !gs[0].Unknown || gs[0].Dialect != tt.like {
			t.Errorf("%s: %+v, want unknown, most like %s", tt.name, gs, tt.like)
		}
	}
	// The framing is known, the API is not.
	for _, tt := range []struct{ name, media, body, dialect, like, terminal string }{
		{"TGI", "text/event-stream", "data:{\"index\":1,\"token\":{\"id\":1,\"text\":\"a\"},\"generated_text\":null}\n\ndata:{\"index\":2,\"token\":{\"id\":2,\"text\":\"b\"},\"generated_text\":\"ab\",\"finish_reason\":\"length\"}\n\n",
			"sse-generic", "openai-chat", "json .finish_reason exists"},
		{"lines of an own making", "application/x-ndjson", "{\"t\":\"a\"}\n{\"t\":\"b\",\"done\":true}\n", "ndjson-generic", "", "json .done == true"},
		{"a member event", "text/event-stream", "data: {\"event\":\"part\",\"a\":1}\n\ndata: {\"event\":\"part\",\"a\":2}\n\ndata: {\"event\":\"part_end\"}\n\n", "sse-generic", "", "json .event == part_end"},
		{"both members", "text/event-stream", "data: {\"event\":\"x\",\"type\":\"a\"}\n\ndata: {\"type\":\"a\"}\n\ndata: {\"event\":\"x\"}\n\n", "sse-generic", "", ""},
		{"named events", "text/event-stream", "event: token\ndata: a\n\nevent: token\ndata: b\n\nevent: bye\ndata: {}\n\n", "sse-generic", "", "event == bye"},
	} {
		g := Identify(tt.media, []byte(tt.body))[0]
		if g.Unknown || g.Dialect != tt.dialect || g.Like != tt.like || g.Terminal != tt.terminal {
			t.Errorf("%s: %+v, want %s like %s, terminal %s", tt.name, g, tt.dialect, tt.like, tt.terminal)
		}
		// What is proposed proves the very body that it was found in.
		for _, end := range g.Ends {
			terminal, err := ParseTerminal(end)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := Lookup(g.Dialect)
			if s := listen(d, Ask{Terminal: terminal}, tt.body); s.State != Complete || s.Early > 0 {
				t.Errorf("%s: with %s the body is %q (%s), early %d", tt.name, end, s.State, s.Why, s.Early)
			}
		}
	}
}

// An API of one's own that has a member of the same name as OpenAI's is not taken for it:
// none of its events would be content, and sound answers would be accused.
func TestForeignChoicesAreNotOpenAI(t *testing.T) {
	var poll, candidates strings.Builder
	for i := range 8 {
		fmt.Fprintf(&poll, "data: {\"choices\": [{\"label\": \"yes\", \"votes\": %d}]}\n\n", i)
		fmt.Fprintf(&candidates, "data: {\"candidates\": [{\"name\": \"Ada\", \"votes\": %d}]}\n\n", i)
	}
	for _, end := range []string{"data: {\"closed\": true}\n\n", "data: [DONE]\n\n"} {
		for dialect, body := range map[string]string{"openai-chat": poll.String(), "gemini": candidates.String()} {
			body += end
			if g := Identify("text/event-stream", []byte(body)); len(g) == 0 || g[0].Dialect != "sse-generic" {
				t.Errorf("%q is taken for %+v", body[len(body)-90:], g)
			}
			if s := read(t, dialect, Ask{}, body).Summary; s.State == Complete || s.State != Corrupt && s.Form != FormSSE {
				t.Errorf("%q as %s is %+v", body[len(body)-90:], dialect, s)
			}
		}
	}
}
