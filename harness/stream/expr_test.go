package stream

import (
	"errors"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		expr, name, data string
		want             bool
	}{
		{"data == [DONE]", "", "[DONE]", true},
		{"data == [DONE]", "", "[DONE] ", false},
		{`data == "all done"`, "", "all done", true},
		{`data == 'it''`, "", "x", false}, // an error: see below
		{"data != x", "", "y", true},
		{"data ~ ^\\[?DONE", "", "[DONE]", true},
		{"data !~ DONE", "", "[DONE]", false},
		{"data ~ 'a b'", "", "xa by", true},
		{"data in (a, b,\"c d\")", "", "c d", true},
		{"data in (a, b)", "", "c", false},
		{"data exists", "", "", false},
		{`data == ""`, "", "", true},
		{"event == done", "done", "x", true},
		{"event == message", "", "x", true}, // the type of an event that names none
		{"event exists", "", "x", false},
		{"event exists", "done", "x", true},
		{"json .done == true", "", `{"done":true}`, true},
		{"json .done == true", "", `{"done":"true"}`, true}, // a bare word is lenient
		{`json .done == "true"`, "", `{"done":true}`, false},
		{"json .done == true", "", `{"done":true`, false}, // no JSON
		{"json .done == true", "", `{"done":false,"done":true}`, true},
		{"json.done==true", "", `{"done":true}`, true},
		{"json .a.b[1].c == x", "", `{"a":{"b":[{},{"c":"x"}]}}`, true},
		{"json .a.b[2].c == x", "", `{"a":{"b":[{},{"c":"x"}]}}`, false},
		{`json ["a.b"] == x`, "", `{"a.b":"\u0078"}`, true},
		{"json .n == 1", "", `{"n":1.0}`, true},
		{"json .n != 1", "", `{"n":2}`, true},
		{"json .n != 1", "", `{"m":2}`, false}, // the path leads nowhere
		{"json .x exists", "", `{"x":null}`, false},
		{"json .x exists", "", `{"x":{"y":1}}`, true},
		{"json .x ~ ^st", "", `{"x":"stop"}`, true},
		{"json .type in (a, response.completed)", "", `{"type":"response.completed"}`, true},
		{`.status == "finished"`, "", `{"status":"finished"}`, true},
		{".status == finished", "", `{"status":"running"}`, false},
		{"$.a[0].b == 1", "", `{"a":[{"b":1}]}`, true},
		{"data.status == finished", "", `{"status":"finished"}`, true},
		{"status: finished", "", `{"status":"finished"}`, true},
		{`"status": "finished"`, "", `{"status":"finished"}`, true},
		{"choices[0].finish_reason: stop", "", `{"choices":[{"finish_reason":"stop"}]}`, true},
		{"event: done", "done", "{}", true},
		{"data: [DONE]", "", "[DONE]", true},
		{"status: finished and event: x", "y", `{"status":"finished"}`, false},
		{".progress >= 100", "", `{"progress":100}`, true},
		{".progress >= 100", "", `{"progress":99.5}`, false},
		{".progress > 100", "", `{"progress":100}`, false},
		{".left < 1", "", `{"left":0}`, true},
		{".left <= 1", "", `{"left":"1"}`, true},
		{".left < 1", "", `{"left":"none"}`, false},
		{".left < 1", "", `{}`, false},
		{"id >= 7", "", "x", false},
		{"data contains DONE", "", "[DONE]", true},
		{".text contains 'the end'", "", `{"text":"this is the end."}`, true},
		{"event startsWith walk_", "walk_done", "x", true},
		{".type startswith response.", "", `{"type":"response.completed"}`, true},
		{".type endsWith completed", "", `{"type":"response.failed"}`, false},
		{"event == a and data == b", "a", "b", true},
		{"event == a && data == b", "a", "c", false},
		{"event == a and data == b or data == c", "x", "c", true},
		{"data == c || event == a and data == b", "a", "b", true},
	}
	for _, tt := range tests {
		m, err := ParseTerminal(tt.expr)
		if err != nil {
			if tt.expr != `data == 'it''` {
				t.Error(err)
			}
			continue
		}
		f := &Frame{Name: []byte(tt.name), Data: []byte(tt.data)}
		if got := m.Match(f); got != tt.want {
			t.Errorf("%s on event %q, data %q: %t, want %t", tt.expr, tt.name, tt.data, got, tt.want)
		}
		if m.String() != tt.expr {
			t.Errorf("String = %q, want %q", m, tt.expr)
		}
	}
}

func TestMatchID(t *testing.T) {
	m, err := ParseTerminal("id == 9")
	if err != nil {
		t.Fatal(err)
	}
	if !m.Match(&Frame{ID: []byte("9")}) || m.Match(&Frame{Data: []byte("9")}) {
		t.Error("id == 9 looks at something else")
	}
}

func TestParseTerminalErrors(t *testing.T) {
	tests := []struct {
		expr   string
		column int
		want   string
	}{
		{"", 1, "a test is missing"},
		{"dta == x", 1, "did you mean data?"},
		{"frobnicate == x", 1, "use data, event, id, json, or .frobnicate for a value in the JSON"},
		{".n >= many", 7, "is no number"},
		{".n >=", 6, "a value is missing"},
		{"data contains", 14, "a value is missing"},
		{`"status" == x`, 1, "a test is missing"},
		{"status.: x", 1, "use data, event, id, json"},
		{"data", 5, "an operator is missing"},
		{"data = x", 6, "write =="},
		{"data is x", 6, `unknown operator "is"`},
		{"data ==", 8, "a value is missing"},
		{"data == all done", 13, "put a value with spaces in quotes"},
		{`data == "x`, 9, "the quote is open"},
		{"data ~ (", 8, "missing closing"},
		{"data in a", 9, "write in (a, b)"},
		{"data in (a, b", 9, "the list is open"},
		{"data in (a b)", 12, "separate values with commas"},
		{"json done == true", 6, "json needs a path"},
		{"json . == 1", 6, "a name is missing"},
		{"json .a[x] == 1", 9, "bad index"},
		{"[DONE]", 1, "write data == [DONE]"},
		{"done", 1, "write data == done or event == done"},
		{"json .a[1 == 1", 8, "the bracket is open"},
		{"json .a[-1] == 1", 9, "bad index"},
		{"data == a and", 14, "a test is missing"},
		{"data == a or evnt == b", 14, "did you mean event?"},
	}
	for _, tt := range tests {
		_, err := ParseTerminal(tt.expr)
		var ee *ExprError
		if !errors.As(err, &ee) {
			t.Errorf("%q: error = %v, want an ExprError", tt.expr, err)
			continue
		}
		if ee.Column != tt.column || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v; want column %d and %q", tt.expr, err, tt.column, tt.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error has more than one line", tt.expr)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("under -race sync.Pool, which package regexp has, drops values at random")
	}
	for _, expr := range []string{"data == [DONE]", "event == done", "json .a[0].b == true", "json .type in (a, b)", "data ~ x$", ".type contains c", ".n >= 3", "type: c"} {
		m, err := ParseTerminal(expr)
		if err != nil {
			t.Fatal(err)
		}
		f := &Frame{Data: []byte(`{"a":[{"b":false}],"type":"c","n":2.5}`)}
		if n := testing.AllocsPerRun(100, func() { m.Match(f) }); n != 0 {
			t.Errorf("%s: %v allocations", expr, n)
		}
	}
}

func FuzzParseTerminal(f *testing.F) {
	f.Add(`json .a["b"][0] in ("x", y) and data !~ '^z' or event exists`, []byte(`{"a":{"b":["x"]}}`))
	f.Add("data == [DONE]", []byte("[DONE]"))
	f.Fuzz(func(t *testing.T, expr string, data []byte) {
		m, err := ParseTerminal(expr)
		if err != nil {
			var ee *ExprError
			if !errors.As(err, &ee) || ee.Column < 1 || ee.Column > len(expr)+1 {
				t.Errorf("%q: error %v points outside", expr, err)
			}
			return
		}
		m.Match(&Frame{Data: data})
	})
}
