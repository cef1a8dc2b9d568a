package stream

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ParseTerminal parses a terminal expression: which event of a generic dialect
// says that the answer is whole.
//
//	expression = all { "or" all }
//	all        = test { "and" test }
//	test       = subject ("==" | "!=") value        equal
//	           | subject ("~" | "!~") value         matches a regular expression (RE2), anywhere
//	           | subject "in" "(" value { "," value } ")"
//	           | subject "exists"                   not empty; in JSON: there and not null
//	subject    = "data"                             the event's data, or the line
//	           | "event" | "id"                     of SSE
//	           | "json" path                        a value inside the data, read as JSON
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
		return nil, p.errorf(p.i, `put a value with spaces in quotes, join tests with "and" or "or"`, "unexpected %q", p.peekWord())
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
	s := fmt.Sprintf("parse terminal expression %q: column %d: %s", e.Expr, e.Column, e.Msg)
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
	case "=":
		return t, p.errorf(at, "write ==", "unknown operator %q", op)
	default:
		const hint = "use == != ~ !~ in (…) or exists"
		if op == "" {
			return t, p.errorf(at, hint, "an operator is missing")
		}
		return t, p.errorf(at, hint, "unknown operator %q", op)
	}
}

// operator takes an operator of signs, or a word.
func (p *exprParser) operator() string {
	from := p.i
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
	for p.i < len(p.s) && isLetter(p.s[p.i]) {
		p.i++
	}
	name := p.s[at:p.i]
	var ok bool
	if t.subject, ok = subjects[name]; !ok {
		if name == "" {
			return p.errorf(at, "begin with data, event, id or json .path", "a test is missing")
		}
		return p.errorf(at, nearest(name, "data", "event", "id", "json"), "unknown subject %q", name)
	}
	if t.subject == subjectJSON {
		t.path, err = p.path()
	}
	return err
}

// path takes .name, [0] and ["name"], in any number.
func (p *exprParser) path() (path []step, err error) {
	p.space()
	at := p.i
	for p.i < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] == '[') {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		path = append(path, s)
	}
	if len(path) == 0 {
		return nil, p.errorf(at, "write json .name == value", "json needs a path")
	}
	return path, nil
}

func (p *exprParser) step() (s step, err error) {
	at := p.i
	p.i++
	if p.s[at] == '.' {
		for p.i < len(p.s) && strings.IndexByte(" \t\r\n.[]()=!~<>,\"'", p.s[p.i]) < 0 {
			p.i++
		}
		if p.i == at+1 {
			return s, p.errorf(at, `write .name or ["any name"]`, "a name is missing after the dot")
		}
		return step{name: p.s[at+1 : p.i], index: -1}, nil
	}
	if p.i < len(p.s) && isQuote(p.s[p.i]) {
		v, err := p.quoted()
		if err != nil {
			return s, err
		}
		s = step{name: v, index: -1}
	} else {
		from := p.i
		for p.i < len(p.s) && p.s[p.i] != ']' && !isSpace(p.s[p.i]) {
			p.i++
		}
		if s.index, err = strconv.Atoi(p.s[from:p.i]); err != nil || s.index < 0 {
			return s, p.errorf(from, `write [0] or ["name"]`, "bad index %q", p.s[from:p.i])
		}
	}
	if p.i >= len(p.s) || p.s[p.i] != ']' {
		return s, p.errorf(at, "close it with ]", "the bracket is open")
	}
	p.i++
	return s, nil
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

// value takes a quoted or bare value. In a list a bare one ends at , and ).
func (p *exprParser) value(inList bool) (v value, err error) {
	p.space()
	at := p.i
	if p.i < len(p.s) && isQuote(p.s[p.i]) {
		v.quoted = true
		v.text, err = p.quoted()
		return v, err
	}
	for p.i < len(p.s) && !isSpace(p.s[p.i]) && !(inList && (p.s[p.i] == ',' || p.s[p.i] == ')')) {
		p.i++
	}
	if v.text = p.s[at:p.i]; v.text == "" {
		return v, p.errorf(at, `write "" for the empty value`, "a value is missing")
	}
	return v, nil
}

// quoted takes a value in quotes; a backslash keeps the next byte.
func (p *exprParser) quoted() (string, error) {
	at := p.i
	quote := p.s[at]
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == quote:
			p.i++
			return b.String(), nil
		case c == '\\' && p.i+1 < len(p.s) && (p.s[p.i+1] == quote || p.s[p.i+1] == '\\'):
			p.i++
			b.WriteByte(p.s[p.i])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.errorf(at, "close it with "+string(quote), "the quote is open")
}

func (p *exprParser) regexp() (*regexp.Regexp, error) {
	p.space()
	at := p.i
	v, err := p.value(false)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(v.text)
	if err != nil {
		return nil, p.errorf(at, "see the RE2 syntax", "%v", err)
	}
	return re, nil
}

// list takes "(a, b)".
func (p *exprParser) list() (values []value, err error) {
	p.space()
	at := p.i
	if p.i >= len(p.s) || p.s[p.i] != '(' {
		return nil, p.errorf(at, "write in (a, b)", "a list is missing")
	}
	p.i++
	for {
		v, err := p.value(true)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		p.space()
		if p.i >= len(p.s) {
			return nil, p.errorf(at, "close it with )", "the list is open")
		}
		switch c := p.s[p.i]; c {
		case ')':
			p.i++
			return values, nil
		case ',':
			p.i++
		default:
			return nil, p.errorf(p.i, "separate values with commas", "unexpected %q", c)
		}
	}
}

// nearest suggests the candidate that name was probably meant to be.
func nearest(name string, candidates ...string) string {
	best, least := "", 3
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return "use " + strings.Join(candidates, ", ")
	}
	return "did you mean " + best + "?"
}

// distance is the Levenshtein distance of two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
