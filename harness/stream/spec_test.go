package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// Every file is a dialect of the list, says where its facts come from, and holds no
// key that nobody reads.
func TestSpecFiles(t *testing.T) {
	files, err := fs.Glob(files, "dialects/*.json")
	if err != nil || len(files) != len(order) {
		t.Fatalf("%d files for %d dialects: %v", len(files), len(order), err)
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range known() {
		if !strings.Contains(string(page), "| "+d.Doc+" |") {
			t.Errorf("the page lacks the doc of %s, or has an older one", d.Name)
		}
		if d.Spec.Name != d.Name || d.Doc == "" || d.Proves == "" || d.New == nil || len(d.Media) == 0 {
			t.Errorf("%s: %+v lacks something", d.Name, d)
		}
		if len(d.Source) == 0 || !strings.HasPrefix(d.Source[0], "https://") {
			t.Errorf("%s does not say where it is documented", d.Name)
		}
		// What a user writes in the same form gives the same dialect.
		again, err := json.Marshal(d.Spec)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ReadSpec(again)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Compile(); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	if _, err := ReadSpec([]byte(`{"name":"x","contents":[".a"]}`)); err == nil || !strings.Contains(err.Error(), "contents") {
		t.Errorf("a key that nobody reads: %v", err)
	}
}

// A mistake is answered with its key and what to write instead.
func TestSpecErrors(t *testing.T) {
	good := Spec{Name: "mine", Format: []string{"sse"}, Content: []string{".text"}, Terminal: []string{"json .type == end"}}
	for _, tt := range []struct {
		change         func(*Spec)
		path, fix, say string
	}{
		{func(s *Spec) { s.Name = "My API" }, "name", "small letters", `"My API"`},
		{func(s *Spec) { s.Like = "openai-chatt" }, "like", "", "unknown dialect"},
		{func(s *Spec) { s.Format = nil }, "format", "sse", "no framing"},
		{func(s *Spec) { s.Format = []string{"sse", "nsjson"} }, "format[1]", "did you mean ndjson?", "unknown format"},
		{func(s *Spec) { s.Data = "objekt" }, "data", "did you mean object?", "objekt"},
		{func(s *Spec) { s.Terminal = nil }, "terminal", "terminal:", "nothing says"},
		{func(s *Spec) { s.Content = []string{".a", ".b["} }, "content[1]", "write [0]", "column 4"},
		{func(s *Spec) { s.Content = []string{".a when jsn .b == c"} }, "content[0]", "did you mean json?", "unknown subject"},
		{func(s *Spec) { s.Content = []string{""} }, "content[0]", "path", "empty rule"},
		{func(s *Spec) { s.Error = []string{"event = error"} }, "error[0]", "write ==", "column"},
		{func(s *Spec) { s.Nest = []Level{{Name: "part", In: "message"}} }, "nest[0].in", "", "message"},
		{func(s *Spec) { s.Choices = &Choices{At: "choices"} }, "choices.at", "", "unexpected"},
	} {
		s := good
		tt.change(&s)
		_, err := s.Compile()
		var e *SpecError
		if !errors.As(err, &e) || e.Path != tt.path || !strings.Contains(e.Fix, tt.fix) || !strings.Contains(e.Problem, tt.say) {
			t.Errorf("%s: %v (%+v)", tt.path, err, e)
		}
	}
	if _, err := good.Compile(); err != nil {
		t.Error(err)
	}
	many := good
	for i := range 80 {
		many.Content = append(many.Content, ".a"+strings.Repeat("b", i))
	}
	if _, err := many.Compile(); err == nil {
		t.Error("more paths than there are bits")
	}
}

// A dialect of the user's own, from the least that must be said.
func TestOwnDialect(t *testing.T) {
	d, err := Spec{Name: "kiln", Format: []string{"ndjson"}, Content: []string{".piece"}, Terminal: []string{"json .state == fired"},
		Error: []string{".crack"}, Usage: Tokens{Output: []string{".n"}}, Order: ".seq"}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		body  string
		kinds string
		state State
	}{
		{"{\"piece\":\"a\",\"seq\":4}\n{\"piece\":\"b\",\"seq\":5}\n{\"state\":\"fired\",\"n\":2}\n", "ccT", Complete},
		{"{\"piece\":\"a\",\"seq\":4}\n{\"piece\":\"b\",\"seq\":6}\n{\"piece\":\"c\",\"seq\":7}\n{\"state\":\"fired\",\"n\":2}\n", "cccT", Gap},
		{"{\"piece\":\"a\"}\n{\"crack\":{\"message\":\"too hot\"}}\n", "cE", Prefix},
		{"{\"piece\":\"a\"}\n", "c", Prefix},
	} {
		got := listen(d, Ask{}, tt.body)
		if kinds(got.events) != tt.kinds || got.State != tt.state || tt.state == Complete && got.Usage.Output != 2 {
			t.Errorf("%q: %s, %+v", tt.body, kinds(got.events), got.Summary)
		}
	}
}

// Formats that are not of text, and those that a body chooses by its first bytes.
func TestOtherFormats(t *testing.T) {
	hello := message("contentBlockDelta", `{"delta":{"text":"a"}}`)
	bad := []byte(hello)
	bad[len(bad)-6] ^= 1
	prelude := []byte(hello)
	prelude[3] ^= 1
	for _, tt := range []struct {
		name, format, body, want string
	}{
		{"message", "aws-eventstream", hello + hello, `contentBlockDelta||"{\"delta\":{\"text\":\"a\"}}" ; contentBlockDelta||"{\"delta\":{\"text\":\"a\"}}" partial 0`},
		{"cut message", "aws-eventstream", hello + hello[:20], `contentBlockDelta||"{\"delta\":{\"text\":\"a\"}}" partial 20`},
		{"chunk", "aws-eventstream", messages(t, "chunk {\"a\":1}\n"), `chunk||"{\"a\":1}" partial 0`},
		{"array", "json-array", "[{\"a\":\"]\\\"}\"}\n,\r\n{\"b\":[1,{}]}]\n", `||"{\"a\":\"]\\\"}\"}" ; ||"{\"b\":[1,{}]}" partial 0`},
		{"open array", "json-array", "[{\"a\":1}\n,", `||"{\"a\":1}" partial 0`},
		{"cut element", "json-array", "[{\"a\":1},{\"b", `||"{\"a\":1}" partial 3`},
		{"one document", "json-array", " {\"a\":[]} ", `||"{\"a\":[]}" partial 0`},
		{"no array", "json-array", "Internal Server Error\n", `||"Internal Server Error" partial 0`},
		{"numbers", "json-array", "[1,22,\"x\"]", `||"1" ; ||"22" ; ||"\"x\"" partial 0`},
		{"lines", "prefixed-lines", "0:\"a\"\nd:{}\n\n", `0||"\"a\"" ; d||"{}" ; : partial 0`},
		{"a line without its code", "prefixed-lines", "Internal Server Error\n", `||"Internal Server Error" partial 0`},
		{"last line without its end", "prefixed-lines", "0:\"a\"\nd:{}", `0||"\"a\"" ; d||"{}" partial 0`},
		{"cut line", "prefixed-lines", "0:\"a\"\n0:\"b", `0||"\"a\"" partial 4`},
		{"a name alone", "sse-named", "event: end\n\nid: 7\n\n", `end||"" partial 0`},
	} {
		got := same(t, formats[tt.format], Limits{}, tt.body)
		var b bytes.Buffer
		b.WriteString(brief(got.shots))
		if s := b.String() + " partial " + string(rune('0'+got.partial%10)); got.partial < 10 && s != tt.want || got.partial >= 10 && !strings.HasSuffix(tt.want, "partial 20") {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
	for name, body := range map[string]string{"a payload": string(bad), "a prelude": string(prelude), "text": "Internal Server Error\nno more\n"} {
		got := read(t, "bedrock-eventstream", Ask{}, message("messageStart", "{}")+hello+body)
		if got.State != Corrupt || got.Fault != BadChecksum || !strings.Contains(got.Why, "CRC") {
			t.Errorf("%s: %+v", name, got.Summary)
		}
		if name == "text" && !strings.Contains(got.Leftover, "Internal Server Error") {
			t.Errorf("left over %q", got.Leftover)
		}
	}
	for _, f := range []string{"json-array", "prefixed-lines", "aws-eventstream"} {
		body := map[string]string{"json-array": "[{\"a\":\"" + strings.Repeat("x", 99), "prefixed-lines": "0:\"" + strings.Repeat("x", 99), "aws-eventstream": message("e", strings.Repeat("x", 99))}[f]
		if got := same(t, formats[f], Limits{Frame: 32}, body); got.err == nil || len(got.shots) > 0 {
			t.Errorf("%s: %v, want the limit", f, got)
		}
	}
	if !slices.Contains(formatNames, "json-array") || len(formatNames) != len(formats) {
		t.Error("a format has no name")
	}
}

// A whole answer in one event is content and terminal at once, and what is resumed in
// the middle is not nested wrongly.
func TestOneEventAndResumed(t *testing.T) {
	got := read(t, "mcp", Ask{}, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}\n\n")
	if e := got.events[0]; e.Kind != Content || !e.Last || got.Terminals != 1 || got.State != Complete {
		t.Errorf("%+v", got)
	}
	const rest = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	if got := read(t, "anthropic-messages", Ask{Resume: 3}, rest); got.State != Complete {
		t.Errorf("resumed: %q (%s)", got.State, got.Why)
	}
	if got := read(t, "anthropic-messages", Ask{}, rest); got.State != Corrupt || got.Fault != Misnested {
		t.Errorf("from the beginning: %q (%s)", got.State, got.Why)
	}
}

// A terminal that several APIs share proves nothing of an answer that is another's.
func TestAnotherAPIsTerminal(t *testing.T) {
	for _, c := range conversations(t) {
		if c.dialect != "openai-chat" || c.name != "complete" {
			continue
		}
		got := read(t, "vercel-ui", Ask{}, c.body)
		if got.State == Complete || got.Form != FormSSE {
			t.Errorf("OpenAI's answer read as the AI SDK's: %+v", got.Summary)
		}
	}
	const custom = "data: {\"type\":\"start\"}\n\ndata: {\"type\":\"data-weather\",\"data\":{\"t\":20}}\n\ndata: {\"type\":\"finish\"}\n\ndata: [DONE]\n\n"
	if got := read(t, "vercel-ui", Ask{}, custom); got.State != Complete || got.Form != FormUnknown {
		t.Errorf("parts of the app's own: %+v", got.Summary)
	}
}

// The framing that is named is the one that the body has.
func TestIdentifyFraming(t *testing.T) {
	for body, want := range map[string]string{"f:{\"messageId\":\"m\"}\n0:\"a\"\n": "prefixed-lines", "[{\"candidates\":[{\"content\":{}}]}\n]": "json-array", "data: {\"candidates\":[{\"content\":{}}]}\n\n": "sse"} {
		got := ""
		for _, f := range Identify("", []byte(body))[0].Why {
			if f.Kind == FactFraming {
				got = f.Text
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

// What a framework does to all events alike does not hide the dialect.
func TestIdentifyMisframed(t *testing.T) {
	for _, c := range conversations(t) {
		if c.dialect != "openai-chat" || c.name != "complete" {
			continue
		}
		for body, fault := range map[string]Fault{
			strings.ReplaceAll(c.body, "data: ", "data: data: "): PrefixTwice,
			strings.ReplaceAll(c.body, "\n\n", "\n"):             Joined,
		} {
			g := Identify("text/event-stream", []byte(body))[0]
			if g.Dialect != c.dialect || !slices.Contains(g.Why, Fact{Kind: FactFault, Text: string(fault)}) {
				t.Errorf("%s: %+v", fault, g)
			}
		}
	}
	if g := Identify("text/event-stream", []byte("data: data: is plural\n\ndata: x\n\n"))[0]; g.Dialect != "sse-generic" {
		t.Errorf("a text about data: %+v", g)
	}
}

// Whatever a body is, and wherever it is cut, there is a guess.
func TestIdentifyAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for _, c := range conversations(t) {
		body := []byte(c.body)
		for range 4 {
			part := body[:r.IntN(len(body)+1)]
			if len(part) > 0 && r.IntN(2) == 0 {
				part = bytes.Clone(part)
				part[r.IntN(len(part))] = byte(r.IntN(256))
			}
			if gs := Identify("", part); len(gs) == 0 || gs[0].Dialect == "" {
				t.Errorf("%q: %+v", part, gs)
			}
		}
	}
}
