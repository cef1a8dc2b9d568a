package stream

import (
	"strconv"
	"strings"
)

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

// colon reports whether a colon comes next that ends a name, as in YAML: one before
// a space.
func (p *exprParser) colon() bool {
	return p.s[p.i] == ':' && (p.i+1 == len(p.s) || isSpace(p.s[p.i+1]))
}

func (p *exprParser) step() (s step, err error) {
	at := p.i
	p.i++
	if p.s[at] == '.' {
		for p.i < len(p.s) && strings.IndexByte(" \t\r\n.[]()=!~<>,\"'", p.s[p.i]) < 0 && !p.colon() {
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
			if at == 0 && p.i < len(p.s) && p.i+1 == len(p.s) { // the data of an event, such as [DONE], and no test
				return s, p.errorf(at, "write data == "+p.s, "a test is expected, and %q is a value", p.s)
			}
			return s, p.errorf(from, `write [0] or ["name"]`, "bad index %q", p.s[from:p.i])
		}
	}
	if p.i >= len(p.s) || p.s[p.i] != ']' {
		return s, p.errorf(at, "close it with ]", "the bracket is open")
	}
	p.i++
	return s, nil
}
