package stream

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// A conversation is one body of testdata/conversations, and what must be said of it.
// The letters of kinds are those of [kinds]; first is the first content among all
// frames, from 1.
type conversation struct {
	dialect, name, body string
	state               State
	kinds               string
	first               int
	usage               Usage
	parts               [3]int // reasoning, tools, refusals
	reason              string
	failed, finished    bool
	nesting             bool
	unclosed            bool
	ask                 Ask
}

var states = map[string]State{"complete": Complete, "prefix": Prefix, "corrupt": Corrupt, "gap": Gap}

// conversations reads all of them.
func conversations(t testing.TB) (out []conversation) {
	t.Helper()
	paths, err := filepath.Glob("testdata/conversations/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dialect := strings.TrimSuffix(filepath.Base(path), ".txtar")
		wants, ask := map[string][]string{}, Ask{}
		for line := range strings.Lines(string(a.Comment)) {
			if f := strings.Fields(line); len(f) > 1 && states[f[1]] != "" {
				wants[f[0]] = f[1:]
			} else if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "ask terminal "); ok {
				if ask.Terminal, err = ParseTerminal(rest); err != nil {
					t.Fatal(err)
				}
			} else if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "ask sentinel "); ok {
				ask.Sentinel = strings.ReplaceAll(rest, `\n`, "\n")
			}
		}
		if len(wants) != len(a.Files) {
			t.Fatalf("%s: %d bodies and %d lines that say what they are", path, len(a.Files), len(wants))
		}
		for _, f := range a.Files {
			c := wanted(t, dialect, f.Name, wants[f.Name], f.Data)
			c.ask = ask
			out = append(out, c)
		}
	}
	return out
}

func wanted(t testing.TB, dialect, name string, want []string, body []byte) conversation {
	c := conversation{dialect: dialect, name: name, body: string(body), state: states[want[0]]}
	if dialect == "bedrock-eventstream" {
		c.body = messages(t, c.body)
	}
	for _, w := range want[1:] {
		key, value, _ := strings.Cut(w, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "kinds":
			c.kinds = value
		case "first":
			c.first = n
		case "in":
			c.usage.Input = int64(n)
		case "out":
			c.usage.Output = int64(n)
		case "thought":
			c.usage.Reasoning = int64(n)
		case "reasoning":
			c.parts[0] = n
		case "tools":
			c.parts[1] = n
		case "refusals":
			c.parts[2] = n
		case "reason":
			c.reason = value
		case "error":
			c.failed = true
		case "finished":
			c.finished = true
		case "nesting":
			c.nesting = true
		case "unclosed":
			c.unclosed = true
		default:
			t.Fatalf("%s, %s: what is %q?", dialect, name, w)
		}
	}
	return c
}

// messages writes lines of event type and payload as AWS event stream messages.
func messages(t testing.TB, lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		name, payload, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok {
			t.Fatalf("no message: %q", line)
		}
		if name == "chunk" {
			payload = `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(payload)) + `","p":"abcd"}`
		}
		b.WriteString(message(name, payload))
	}
	return b.String()
}

// message is one AWS event stream message.
func message(name, payload string) string {
	header := func(k, v string) string {
		return string(rune(len(k))) + k + "\x07" + string(binary.BigEndian.AppendUint16(nil, uint16(len(v)))) + v
	}
	headers := header(":event-type", name) + header(":content-type", "application/json") + header(":message-type", "event")
	if exception, ok := strings.CutPrefix(name, "!"); ok {
		headers = header(":exception-type", exception) + header(":content-type", "application/json") + header(":message-type", "exception")
	}
	m := binary.BigEndian.AppendUint32(nil, uint32(12+len(headers)+len(payload)+4))
	m = binary.BigEndian.AppendUint32(m, uint32(len(headers)))
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	m = append(append(m, headers...), payload...)
	return string(binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m)))
}

// Each conversation has the right outcome, first content, tokens and parts, at any
// split of its bytes.
func TestConversations(t *testing.T) {
	for _, c := range conversations(t) {
		t.Run(c.dialect+"/"+c.name, func(t *testing.T) { c.check(t) })
	}
}

func (c *conversation) check(t *testing.T) {
	d, ok := Lookup(c.dialect)
	if !ok {
		t.Fatal("no such dialect")
	}
	got := listen(d, c.ask, c.body)
	r := rand.New(rand.NewPCG(uint64(len(c.body)), 3))
	for range 8 {
		split := listen(d, c.ask, cut(c.body, r)...)
		if d.Format.Name == Text.Name {
			split.events = got.events // a frame is what a push delivers
		}
		if fmt.Sprint(split) != fmt.Sprint(got) {
			t.Fatalf("split otherwise: %+v\nwant %+v", split, got)
		}
	}
	if k := kinds(got.events); k != c.kinds {
		t.Errorf("kinds %s, want %s", k, c.kinds)
	}
	if first := firstContent(got.events); first != c.first {
		t.Errorf("first content is %d, want %d", first, c.first)
	}
	if got.State != c.state || got.Why == "" && c.state != Complete {
		t.Errorf("state %q (%s), want %q", got.State, got.Why, c.state)
	}
	if got.Usage != c.usage {
		t.Errorf("tokens %+v, want %+v", got.Usage, c.usage)
	}
	if parts := [3]int{got.Reasoning, got.Tools, got.Refusals}; parts != c.parts {
		t.Errorf("reasoning, tools, refusals: %v, want %v", parts, c.parts)
	}
	if c.reason != "" && got.Reason != c.reason {
		t.Errorf("reason %q, want %q", got.Reason, c.reason)
	}
	if (got.Errors > 0) != c.failed || c.failed && got.ErrorText == "" {
		t.Errorf("%d errors, text %q", got.Errors, got.ErrorText)
	}
	if (got.Unclosed != "" && got.State == Complete) != c.unclosed {
		t.Errorf("left open: %q, want %v", got.Unclosed, c.unclosed)
	}
	if got.Finished != c.finished || (got.Fault == Misnested) != c.nesting {
		t.Errorf("finished %v, fault %q (%s)", got.Finished, got.Fault, got.Why)
	}
}

func firstContent(events []Event) int {
	for i, e := range events {
		if e.Kind == Content {
			return i + 1
		}
	}
	return 0
}

// A conversation that is cut anywhere before its terminal is neither complete nor
// corrupt. Of long ones every byte of the first and last event is tried, and some of
// each between.
func TestCutConversations(t *testing.T) {
	stride := 10
	if raceDetector {
		stride = 100
	}
	for _, c := range conversations(t) {
		if c.state != Complete || c.name == "runs" { // an answer of several runs is complete with each
			continue
		}
		d, _ := Lookup(c.dialect)
		end := len(c.body)
		for end > 0 && listen(d, c.ask, c.body[:end-1]).State == Complete {
			end--
		}
		for n := 0; n < end; n += 1 + min(stride, n/100, (end-n)/100) {
			got := listen(d, c.ask, c.body[:n])
			if got.State == Complete || got.State == Corrupt || got.Errors > 0 {
				t.Errorf("%s/%s, cut at byte %d of %d: %q (%s), %d errors", c.dialect, c.name, n, len(c.body), got.State, got.Why, got.Errors)
				break
			}
		}
	}
}

func FuzzConversations(f *testing.F) {
	for _, c := range conversations(f) {
		f.Add([]byte(c.body), c.dialect, uint64(len(c.body)))
	}
	f.Fuzz(func(t *testing.T, body []byte, dialect string, seed uint64) {
		d, ok := Lookup(dialect)
		if !ok {
			return
		}
		pieces := cut(string(body), rand.New(rand.NewPCG(seed, 0)))
		want, got := listen(d, Ask{}, string(body)), listen(d, Ask{}, pieces...)
		if d.Format.Name == "text" {
			got.events = want.events
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q\ngot  %+v\nwant %+v", d.Name, pieces, got, want)
		}
	})
}

// The wire alone names the dialect of each conversation, with its media type and
// without. An error alone may be any API's: it is given to no wrong one with
// certainty.
func TestIdentifyConversations(t *testing.T) {
	for _, c := range conversations(t) {
		d, _ := Lookup(c.dialect)
		for _, media := range []string{d.Media[0], ""} {
			g := Identify(media, []byte(c.body))[0]
			generic, _ := Lookup(g.Dialect)
			switch {
			case g.Dialect == c.dialect && !g.Unknown:
			case c.first == 0 && (generic.NeedsTerminal || !g.Certain):
			case c.dialect == "llamaindex-text" && g.Dialect == "text" && sameAs(g, "llamaindex-text"):
			default:
				t.Errorf("%s/%s, media type %q: %+v", c.dialect, c.name, media, g)
			}
		}
	}
}

func sameAs(g Guess, dialect string) bool {
	return slices.ContainsFunc(g.Why, func(f Fact) bool { return f.Kind == FactSame && f.Text == dialect })
}
