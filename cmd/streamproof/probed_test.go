package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/streamproof/streamproof/harness/stream"
)

// conversation is a body of the stream package's conversations.
func conversation(t *testing.T, dialect, name string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("../../harness/stream/testdata/conversations", dialect+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no conversation %s", dialect, name)
	return ""
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

// probeProcess runs 'streamproof probe' as a process of its own and reads what it says.
func probeProcess(t *testing.T, program, url string) (p probed, text string) {
	t.Helper()
	for _, args := range [][]string{{"probe", url}, {"probe", url, "--json"}} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "NO_COLOR=1")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitPass && cmd.ProcessState.ExitCode() != exitInconclusive {
			t.Fatalf("%q: %v\n%s%s", args, err, out, errs.String())
		}
		if len(args) == 2 {
			text = string(out)
		} else if err := json.Unmarshal(out, &p); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return p, text
}

// thirds cuts a body where its bytes say nothing.
func thirds(body string) []string {
	a, b := len(body)/3, 2*len(body)/3
	return []string{body[:a], body[a:b], body[b:]}
}

// The program names every dialect from the wire alone, with the media type of its API
// and with one that says nothing.
func TestProbeNamesEveryDialect(t *testing.T) {
	t.Parallel()
	program := program(t)
	for _, d := range stream.Dialects() {
		if d.Spec == nil {
			continue // our own origin's
		}
		want := d.Name
		if want == "llamaindex-text" {
			want = "text" // the same on a wire, which is said
		}
		for _, media := range []string{d.Media[0], "application/octet-stream"} {
			t.Run(d.Name+" as "+media, func(t *testing.T) {
				t.Parallel()
				body := conversation(t, d.Name, "complete")
				if d.Name == "bedrock-eventstream" {
					body = messages(t, body)
				}
				srv := httptest.NewServer(says{media, thirds(body)})
				defer srv.Close()
				p, text := probeProcess(t, program, srv.URL+"/walk")
				if p.Dialect != want || p.Unknown || !strings.Contains(text, "\ndialect   "+want) {
					t.Errorf("taken for %q\n%s", p.Dialect, text)
				}
				if want == "text" && !strings.Contains(text, "llamaindex-text looks the same") {
					t.Errorf("that llamaindex-text looks the same is not said:\n%s", text)
				}
				if d.Format.Name != stream.Text.Name && (!p.Ready || p.State != string(stream.Complete)) {
					t.Errorf("state %q, ready %v\n%s", p.State, p.Ready, text)
				}
			})
		}
	}
}

// What the program does not know it says so of: what cannot be read, and an API of which
// only the framing is known.
func TestProbeSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	program := program(t)
	const sse, lines = "text/event-stream", "application/x-ndjson"
	for _, tt := range []struct {
		name, media string
		pieces      []string
		want        string // the line of the dialect
	}{
		{"gRPC-Web", "application/grpc-web+proto", []string{"\x00\x00\x00\x00\x05\x0a\x03abc", "\x00\x00\x00\x00\x05\x0a\x03def"}, "unknown, most like bedrock-eventstream"},
		{"JSON text sequences", "application/json-seq", []string{"\x1e{\"a\":1}\n", "\x1e{\"a\":2}\n"}, "unknown, most like text"},
		{"parts of a multipart body", "multipart/mixed; boundary=a", []string{"--a\r\nContent-Type: application/json\r\n\r\n{\"hasNext\":true}\r\n", "--a--\r\n"}, "unknown, most like text"},
		{"a page", "text/html", []string{"<!DOCTYPE html>", "<p>hello"}, "unknown, most like text"},
		{"MessagePack", "application/vnd.msgpack", []string{"\x82\xa1t\xa4fern", "\x82\xa1t\xa4moss\xff"}, "unknown, most like text"},
		{"one JSON document", "application/json", []string{"{\"answer\": \"fern\",\n", " \"tokens\": 3}"}, "unknown, most like ndjson-generic"},

		{"Hugging Face's text generation", sse, []string{
			"data:{\"index\":1,\"token\":{\"id\":1,\"text\":\"fern\",\"logprob\":-1.5,\"special\":false},\"generated_text\":null,\"details\":null}\n\n",
			"data:{\"index\":2,\"token\":{\"id\":2,\"text\":\"moss\",\"logprob\":-1.5,\"special\":false},\"generated_text\":\"fernmoss\",\"details\":{\"finish_reason\":\"length\"}}\n\n"},
			"sse-generic; the API is unknown, most like openai-chat"},
		{"Dify", sse, []string{
			"data: {\"event\": \"message\", \"task_id\": \"9\", \"message_id\": \"5\", \"answer\": \"fern\"}\n\n",
			"data: {\"event\": \"message\", \"task_id\": \"9\", \"message_id\": \"5\", \"answer\": \"moss\"}\n\n",
			"data: {\"event\": \"message_end\", \"task_id\": \"9\", \"message_id\": \"5\", \"metadata\": {\"usage\": {\"total_tokens\": 9}}}\n\n"},
			"sse-generic; the API is unknown"},
		{"Replicate", sse, []string{"event: output\nid: 1\ndata: fern\n\n", "event: output\nid: 2\ndata: moss\n\n", "event: done\nid: 3\ndata: {}\n\n"},
			"sse-generic; the API is unknown"},
		{"a watch of Kubernetes", lines, []string{
			"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n", "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n"},
			"ndjson-generic; the API is unknown"},
		{"llama.cpp's own", sse, []string{
			"data: {\"index\":0,\"content\":\"fern\",\"tokens\":[1],\"stop\":false,\"id_slot\":0}\n\n", "data: {\"index\":0,\"content\":\"\",\"tokens\":[],\"stop\":true,\"stop_type\":\"eos\"}\n\n"},
			"sse-generic; the API is unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(says{tt.media, tt.pieces})
			defer srv.Close()
			p, text := probeProcess(t, program, srv.URL+"/walk")
			if !strings.Contains(text, "\ndialect   "+tt.want+"\n") || p.Unknown != strings.HasPrefix(tt.want, "unknown") {
				t.Errorf("want %q, unknown in JSON: %v\n%s", tt.want, p.Unknown, text)
			}
		})
	}
}
