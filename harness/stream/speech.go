package stream

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxSpeech bounds the text that is kept of one answer, in bytes.
const MaxSpeech = 1 << 20

// A Speech gathers what one answer says, for a client that puts it into its next
// question. It reads each event once more, and so is made for those streams alone of
// which somebody asks for the text.
type Speech struct {
	says     *says
	sentinel string
	text     []byte
	cut      bool
}

// A says is where the events of a dialect hold the text of the answer.
type says struct {
	rules []sayRule
	apart string // stands between events that are taken as they are
	ends  bool   // the last event is a part of the text, too
}

// A sayRule is compiled from one line of [Spec.Text].
type sayRule struct {
	path  []step
	when  *Matcher // nil for always
	at    int      // steps to the alternatives; 0 where there are none
	index []step   // from one of them to its index
}

// Says reports whether it is known where the dialect's events hold the text of the
// answer.
func (d *Dialect) Says() bool { return d.says != nil }

// Speech begins to gather the text of one answer; nil where [Dialect.Says] is false.
func (d *Dialect) Speech(a Ask) *Speech {
	if d.says == nil {
		return nil
	}
	s := &Speech{says: d.says}
	if d.Format.Name == Text.Name {
		s.sentinel = a.Sentinel
	}
	return s
}

// Add takes the next frame, which its reader took for e. It keeps no reference to f.
func (s *Speech) Add(f *Frame, e Event) {
	if e.Kind != Content && e.Kind != Terminal || e.Part != Answer || s.cut || f.Comment {
		return
	}
	if s.says.rules == nil {
		if e.Kind == Content || s.says.ends {
			if len(s.text) > 0 {
				s.say([]byte(s.says.apart))
			}
			s.say(f.Data)
		}
		return
	}
	for i := range s.says.rules {
		r := &s.says.rules[i]
		if r.when == nil || r.when.Match(f) {
			c := cursor{b: f.Data}
			c.each(r, 0, func(raw []byte) {
				if len(raw) > 1 && raw[0] == '"' {
					s.say(unescape(nil, raw[1:len(raw)-1]))
				}
			})
		}
	}
}

func (s *Speech) say(p []byte) {
	if left := MaxSpeech - len(s.text); len(p) > left {
		for left > 0 && !utf8.RuneStart(p[left]) {
			left--
		}
		p, s.cut = p[:left], true
	}
	s.text = append(s.text, p...)
}

// Text is what the answer has said so far; cut says that it was longer than [MaxSpeech].
func (s *Speech) Text() (text string, cut bool) {
	t := s.text
	if s.sentinel != "" && !s.cut {
		t = bytes.TrimSuffix(t, []byte(s.sentinel))
	}
	return strings.ToValidUTF8(string(t), "\uFFFD"), s.cut
}

// each takes one value, which stands n steps down the path of r, and yields the values
// at its end. Of several alternatives it reads the first alone.
func (c *cursor) each(r *sayRule, n int, yield func(raw []byte)) {
	if n == len(r.path) {
		if raw := c.skip(); raw != nil {
			yield(raw)
		}
		return
	}
	s := r.path[n]
	switch ch := c.peek(); {
	case ch == '{' && s.index == -1:
		for c.open('{'); c.more('}'); {
			if string(c.key()) == s.name {
				c.each(r, n+1, yield)
			} else {
				c.skip()
			}
		}
	case ch == '[' && (s.index >= 0 || s.index == stepEach):
		c.open('[')
		for i := 0; c.more(']'); i++ {
			if s.index >= 0 && i != s.index || r.at > 0 && n == r.at && !c.foremost(r.index) {
				c.skip()
			} else {
				c.each(r, n+1, yield)
			}
		}
	default:
		c.skip()
	}
}

// foremost reports whether the alternative that comes next is the first of the answer:
// its index is 0, or it has none.
func (c *cursor) foremost(index []step) bool {
	if len(index) == 0 {
		return true
	}
	ahead := *c
	n, ok := parseInt(ahead.find(index))
	return !ok || n == 0
}

// asTheyAre is the text of a dialect that knows the framing only.
func asTheyAre(f Format) *says {
	if f.Name == NDJSON.Name {
		return &says{apart: "\n"}
	}
	return &says{ends: f.Name == Text.Name}
}

// says compiles the lines at the key text; nil where there are none.
func (c *compiler) says(s *Spec) *says {
	if len(s.Text) == 0 {
		return nil
	}
	out := &says{}
	for i, line := range s.Text {
		key := fmt.Sprintf("text[%d]", i)
		path, expr, both := strings.Cut(line, " when ")
		if !strings.HasPrefix(path, ".") && !strings.HasPrefix(path, "[") {
			c.fail(key, fmt.Sprintf("%q is no path", line), "write the way to a text, such as .delta.text")
			return nil
		}
		var r sayRule
		var err error
		if r.path, err = rulePath(path); err != nil {
			c.exprError(key, err)
			return nil
		}
		for _, st := range r.path {
			if st.index == stepAny {
				c.fail(key, "a text has one place, and .* stands for several", "name the member")
				return nil
			}
		}
		if both {
			if r.when, err = ParseTerminal(expr); err != nil {
				if e, ok := err.(*ExprError); ok {
					e.Column += len(line) - len(expr)
				}
				c.exprError(key, err)
				return nil
			}
		}
		if ch := s.Choices; ch != nil && strings.HasPrefix(path, ch.At+"[]") {
			at, err1 := rulePath(ch.At)
			index, err2 := rulePath(ch.Index)
			if err1 == nil && err2 == nil { // else choices say so
				r.at, r.index = len(at), index
			}
		}
		out.rules = append(out.rules, r)
	}
	return out
}
