package stream

import (
	"fmt"
	"strings"
)

// ParseTerminal parses an expression over events: which one says that the answer
// is whole, or that it failed.
//
//	expression = all { "or" all }
//	all        = test { "and" test }
//	test       = subject ("==" | "!=") value        equal
//	           | subject ("~" | "!~") value         matches a regular expression (RE2), anywhere
//	           | subject ("<" | "<=" | ">" | ">=") number
//	           | subject ("contains" | "startsWith" | "endsWith") value
//	           | subject "in" "(" value { "," value } ")"
//	           | subject "exists"                   not empty; in JSON: there and not null
//	           | name ":" value                     equal, as JSON and YAML write it; any path without its dot
//	subject    = "data"                             the event's data, or the line
//	           | "event" | "id"                     of SSE
//	           | [ "json" | "data" | "$" ] path     a value inside the data, read as JSON
//	path       = ".name" | "[0]" | `["any name"]`, any number of them
//	value      = a word without spaces | "quoted" | 'quoted'
//
// "and" binds tighter than "or"; && and || mean the same. A bare word equals a
// JSON string, number or literal that is written so (true, 12, stop); a quoted
// one only a string. A JSON test is false where the path leads nowhere, with !=
// too.
//
//	data == [DONE]
//	event == done
//	json .done == true
//	json .type in (message_stop, response.completed)
//	json .choices[0].finish_reason exists and event != ping
//	.progress >= 100 or status: finished
//
// The error is an [*ExprError].
func ParseTerminal(expr string) (*Matcher, error) {
	p := &exprParser{s: expr}
	m := &Matcher{expr: expr}
	for {
		tests, err := p.all()
		if err != nil {
			return nil, err
		}
		m.any = append(m.any, tests)
		if !p.word("or", "||") {
			break
		}
	}
	if p.space(); p.i < len(p.s) {
		return nil, p.errorf(p.i, `put a value with spaces in quotes, join tests with "and" or "or"`, "unexpected %q",
			p.peekWord())
	}
	return m, nil
}

// An ExprError says what is wrong with an expression, and where.
type ExprError struct {
	Expr   string
	Column int // from 1, in bytes
	Msg    string
	Hint   string // what to write instead
}

func (e *ExprError) Error() string {
	s := fmt.Sprintf("parse expression %q: column %d: %s", e.Expr, e.Column, e.Msg)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

type exprParser struct {
	s string
	i int
}

func (p *exprParser) errorf(at int, hint, format string, args ...any) error {
	return &ExprError{Expr: p.s, Column: at + 1, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func (p *exprParser) space() {
	for p.i < len(p.s) && isSpace(p.s[p.i]) {
		p.i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// word takes one of the words if it comes next.
func (p *exprParser) word(words ...string) bool {
	p.space()
	for _, w := range words {
		if p.peekWord() == w {
			p.i += len(w)
			return true
		}
	}
	return false
}

// peekWord returns what stands up to the next space.
func (p *exprParser) peekWord() string {
	rest := p.s[p.i:]
	if n := strings.IndexFunc(rest, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) }); n >= 0 {
		return rest[:n]
	}
	return rest
}

func (p *exprParser) all() (tests []test, err error) {
	for {
		t, err := p.test()
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
		if !p.word("and", "&&") {
			return tests, nil
		}
	}
}

func (p *exprParser) test() (t test, err error) {
	if err = p.subject(&t); err != nil {
		return t, err
	}
	p.space()
	at := p.i
	switch op := p.operator(); op {
	case "==", "!=":
		t.not = op == "!="
		v, err := p.value(false)
		t.values = []value{v}
		return t, err
	case "~", "!~":
		t.not = op == "!~"
		t.re, err = p.regexp()
		return t, err
	case "in":
		t.values, err = p.list()
		return t, err
	case "exists":
		return t, nil
	case ":":
		v, err := p.value(false)
		t.values = []value{v}
		return t, err
	case "<", "<=", ">", ">=":
		t.bound = op
		t.number, err = p.number()
		return t, err
	case "contains", "startsWith", "startswith", "endsWith", "endswith":
		v, err := p.value(false)
		t.part, t.want = strings.ToLower(op), []byte(v.text)
		return t, err
	case "=":
		return t, p.errorf(at, "write ==", "unknown operator %q", op)
	default:
		const hint = "use == != < <= > >= ~ !~ contains startsWith endsWith in (…) or exists"
		if op == "" {
			return t, p.errorf(at, hint, "an operator is missing")
		}
		return t, p.errorf(at, hint, "unknown operator %q", op)
	}
}

// operator takes an operator of signs, or a word.
func (p *exprParser) operator() string {
	from := p.i
	if p.i < len(p.s) && p.s[p.i] == ':' {
		p.i++
		return ":"
	}
	for p.i < len(p.s) && strings.IndexByte("=!~<>", p.s[p.i]) >= 0 {
		p.i++
	}
	if p.i == from {
		for p.i < len(p.s) && !isSpace(p.s[p.i]) && p.s[p.i] != '(' {
			p.i++
		}
	}
	return p.s[from:p.i]
}

var subjects = map[string]subject{"data": subjectData, "event": subjectEvent, "id": subjectID, "json": subjectJSON}

func (p *exprParser) subject(t *test) (err error) {
	p.space()
	at := p.i
	if t.path, err = p.member(); t.path != nil || err != nil {
		t.subject = subjectJSON
		return err
	}
	for p.i < len(p.s) && isLetter(p.s[p.i]) {
		p.i++
	}
	name := p.s[at:p.i]
	var ok bool
	if t.subject, ok = subjects[name]; !ok {
		if name == "" {
			return p.errorf(at, "begin with data, event, id or json .path", "a test is missing")
		}
		if at == 0 && p.i == len(p.s) && len(name) > 0 { // one word
			return p.errorf(at, "write data == "+name+" or event == "+name, "a test is expected, and %q is a value", name)
		}
		hint := nearest(name, "data", "event", "id", "json")
		if strings.HasPrefix(hint, "use ") {
			hint += ", or ." + name + " for a value in the JSON"
		}
		return p.errorf(at, hint, "unknown subject %q", name)
	}
	if t.subject == subjectJSON || t.subject == subjectData && p.i < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] == '[') {
		t.subject = subjectJSON
		t.path, err = p.path()
	}
	return err
}

// member takes a path that stands without the word json: .status, $.status, or
// status before a colon. It takes nothing, and returns nil, where there is none.
func (p *exprParser) member() (path []step, err error) {
	at := p.i
	if p.i < len(p.s) && p.s[p.i] == '$' {
		p.i++
	}
	if p.i < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] == '[') {
		return p.path()
	}
	p.i = at
	first := step{index: -1}
	if p.i < len(p.s) && isQuote(p.s[p.i]) {
		if first.name, err = p.quoted(); err != nil {
			return nil, err
		}
	} else {
		for p.i < len(p.s) && strings.IndexByte(" \t\r\n.[]()=!~<>,:", p.s[p.i]) < 0 {
			p.i++
		}
		first.name = p.s[at:p.i]
	}
	if _, known := subjects[first.name]; first.name != "" && !known {
		if path = []step{first}; p.i < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] == '[') {
			rest, err := p.path()
			if err != nil {
				p.i = at
				return nil, nil // whatever it is, it is no path
			}
			path = append(path, rest...)
		}
		if p.space(); p.i < len(p.s) && p.s[p.i] == ':' {
			return path, nil
		}
	}
	p.i = at
	return nil, nil
}
