package stream

import (
	"regexp"
	"strconv"
	"strings"
)

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

// number takes what a value is compared with by size.
func (p *exprParser) number() (float64, error) {
	p.space()
	at := p.i
	v, err := p.value(false)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || n != n {
		return 0, p.errorf(at, "compare with a number, such as 100", "%q is no number", v.text)
	}
	return n, nil
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
