package reports

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// nasty is what a server might send to whoever reads the report.
const nasty = "\x1b[2J\x1b]0;owned\x07\u009b31m\x00\x7f\xff\u202e<script>alert(1)</script>" +
	"<img src=http://127.0.0.1:1/x onerror=alert(2)>\"'`]]></failure>| [a](javascript:alert(3)) @everyone {{.}}\r\nsecond line"

// hostile is a failing run in which every string that can come from elsewhere is
// nasty.
func hostile() Input {
	in := failing()
	infect(reflect.ValueOf(in.Report).Elem())
	infect(reflect.ValueOf(&in.Run.Plan).Elem())
	infect(reflect.ValueOf(&in.Run.Windows).Elem())
	in.Run.Hops = []record.Hop{{Name: nasty, What: nasty, URL: nasty}}
	in.Run.Notes = []record.Note{{Kind: record.NoteHarness, Text: nasty, Settle: nasty, Scenario: nasty}}
	for i := range in.Run.Streams {
		s := &in.Run.Streams[i]
		s.Nonce, s.Content.Why, s.Content.Worker = nasty, nasty, nasty
	}
	for i := range in.Scopes {
		for j := range in.Scopes[i].Streams {
			g := &in.Scopes[i].Streams[j].Grade
			g.Fact = &record.Fact{Kind: record.FactQuoted, Text: nasty}
		}
	}
	in.Report.Scenarios[1].Checks[0].Name = nasty
	return in
}

// infect appends nasty to the strings of v that verdicts do not compare.
func infect(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(v.String() + nasty)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Type().Field(i).IsExported() && name != "ID" && name != "Scenario" {
				infect(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			infect(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			infect(v.Elem())
		}
	}
}

// controls returns the characters of s that could steer a terminal or turn text
// around, but for those of layout.
func controls(s string) []rune {
	var bad []rune
	for _, r := range s {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			bad = append(bad, r)
		}
	}
	return bad
}

func TestHostileControlCharacters(t *testing.T) {
	in := hostile()
	for name, write := range map[string]Reporter{
		"plain": TextOn(Screen{}), "terminal": TextOn(Screen{Terminal: true}), "json": JSON, "junit": JUnit, "markdown": Markdown, "html": HTML,
	} {
		if bad := controls(string(written(t, write, in))); len(bad) > 0 {
			t.Errorf("%s: lets through %q", name, bad)
		}
	}
}

func TestHostileMarkup(t *testing.T) {
	in := hostile()
	page := string(written(t, HTML, in))
	for _, bad := range []string{"<script>alert", "<img", "javascript:alert(3)\"", "onerror=alert(2)>\"'"} {
		if strings.Contains(page, bad) {
			t.Errorf("html: lets through %s", bad)
		}
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("html: %d scripts, want our own", n)
	}
	dec := xml.NewDecoder(strings.NewReader(string(written(t, JUnit, in))))
	for {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("junit: %v", err)
		}
	}
}

// TestHostileMarkdown looks at what stands outside of code: there nothing may be
// markup, and nothing may mention or link.
func TestHostileMarkdown(t *testing.T) {
	text := string(written(t, Markdown, hostile()))
	fence, outside := "", []string{}
	for _, l := range strings.Split(text, "\n") {
		switch {
		case fence == "" && strings.HasPrefix(l, "```"):
			fence = l
		case fence != "" && l == fence:
			fence = ""
		case fence == "":
			outside = append(outside, withoutCode(l))
		}
	}
	if fence != "" {
		t.Errorf("a fence %q is never closed", fence)
	}
	for _, l := range outside {
		for _, bad := range []string{"<script", "<img", "@everyone", "[a]("} {
			if strings.Contains(l, bad) {
				t.Errorf("lets through %s in %.200q", bad, l)
			}
		}
	}
}

// withoutCode removes the code spans of a line, whose ticks match in number.
func withoutCode(l string) string {
	var out strings.Builder
	for i := 0; i < len(l); {
		if l[i] == '\\' && i+1 < len(l) {
			out.WriteString(l[i : i+2])
			i += 2
			continue
		}
		n := len(l[i:]) - len(strings.TrimLeft(l[i:], "`"))
		if n == 0 {
			out.WriteByte(l[i])
			i++
			continue
		}
		end := closing(l[i+n:], n)
		if end < 0 {
			out.WriteString(l[i:])
			break
		}
		i += n + end
	}
	return out.String()
}

// closing finds where a run of exactly n ticks ends.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i + n
		}
		i += max(run, 1)
	}
	return -1
}

// TestJSONFaithful: what is escaped is still the same value.
func TestJSONFaithful(t *testing.T) {
	in := one(verdict.ScenarioReport{Why: strings.ToValidUTF8(nasty, "") + "\U000e0041"})
	var got verdict.Report
	if err := json.Unmarshal(written(t, JSON, in), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.Report.Scenarios[0].Why, got.Scenarios[0].Why); diff != "" {
		t.Errorf("value changed (-want +got):\n%s", diff)
	}
}

func TestBoundSaysHowMuch(t *testing.T) {
	long := strings.Repeat("é", lineBound+7)
	if got, want := line(long), strings.Repeat("é", lineBound)+"… (7 more characters)"; got != want {
		t.Errorf("line = …%q", got[len(got)-40:])
	}
	in := one(verdict.ScenarioReport{Verdict: verdict.Fail, Why: long})
	page := string(written(t, HTML, in))
	if !strings.Contains(page, "1 text was cut for length") {
		t.Error("the page does not count the text that it cut")
	}
}

// TestInputUnchanged: reporters share their input with others.
func TestInputUnchanged(t *testing.T) {
	in, same := hostile(), hostile()
	for _, write := range []Reporter{TextOn(Screen{}), JSON, JUnit, Markdown, HTML} {
		written(t, write, in)
	}
	if !reflect.DeepEqual(in.Report, same.Report) || !reflect.DeepEqual(in.Run, same.Run) {
		t.Error("a reporter changed its input")
	}
}
