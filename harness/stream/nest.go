package stream

import (
	"fmt"
	"strconv"
)

// A nest knows which events of a dialect open and close something.
//
//	message_start                       opens the message
//	  content_block_start, index 0      opens a content block in it
//	    content_block_delta, index 0
//	  content_block_stop, index 0
//	message_stop
type nest struct {
	levels []level
	byPath int // slot of the event's name; -1 for the name of SSE
	steps  []nestStep
}

type level struct {
	name                   string
	in                     int // its parent, -1 for none
	keys                   []int
	implied, again, strict bool
	outer                  bool // it is the whole answer: the terminal closes it
}

// A nestStep is what an event of a name does.
type nestStep struct {
	event string
	level int8
	do    nestDo
}

type nestDo uint8

const (
	nestOpen nestDo = iota
	nestClose
	nestEnd
	nestHold
)

// A nested is what is open in one answer.
type nested struct {
	open [16]opened
	n    int
	lost bool     // more was open than is remembered: nothing is claimed any more
	ever [8]uint8 // per level: 1 was opened, 2 was closed
}

type opened struct {
	level int8
	key   uint32
}

func (o *nested) find(level int8, key uint32) int {
	for i := range o.n {
		if o.open[i] == (opened{level, key}) {
			return i
		}
	}
	return -1
}

// any reports whether something of a level is open.
func (o *nested) any(level int8) bool {
	for i := range o.n {
		if o.open[i].level == level {
			return true
		}
	}
	return false
}

func (o *nested) add(level int8, key uint32) {
	if o.n == len(o.open) {
		o.lost = true
		return
	}
	o.open[o.n] = opened{level, key}
	o.n++
	o.ever[level] |= 1
}

func (o *nested) remove(i int) {
	o.n--
	o.open[i] = o.open[o.n]
}

// follow takes an event into account. One that names what is not open, or opens what is,
// makes the answer corrupt: an event was lost, sent twice or is of another answer.
func (r *dataReader) follow(f *Frame, w *walk) {
	d, o := r.d.nest, r.nested
	if o.lost || r.sum.Errors > 0 || r.broken != "" {
		return
	}
	name := f.Name
	if d.byPath >= 0 {
		if name = w.value(d.byPath); len(name) < 2 || name[0] != '"' {
			return
		}
		name = name[1 : len(name)-1]
	}
	for i := range d.steps {
		if s := &d.steps[i]; len(s.event) == len(name) && s.event == string(name) {
			if why := r.step(s, d.key(s.level, w)); why != "" {
				r.corrupt(Misnested, "byte "+strconv.FormatInt(f.Offset, 10)+": "+s.event+": "+why)
			}
			return
		}
	}
}

// key is a hash of what tells things of a level apart.
func (d *nest) key(level int8, w *walk) uint32 {
	h := uint32(0)
	for _, slot := range d.levels[level].keys {
		h = h*31 + fnv(w.value(slot))
	}
	return h
}

// step does what an event does, and says what is wrong with it.
func (r *dataReader) step(s *nestStep, key uint32) string {
	d, o := r.d.nest, r.nested
	l := &d.levels[s.level]
	at := o.find(s.level, key)
	switch {
	case s.do == nestEnd:
		o.n = 0
		return ""
	case s.do == nestClose && at < 0 && l.implied: // it was empty
		return ""
	case s.do == nestClose && at < 0:
		if o.ever[s.level]&1 == 0 {
			return "no " + l.name + " was begun"
		}
		return "that " + l.name + " is not open"
	case s.do == nestClose:
		if inner := d.inside(o, s.level); inner >= 0 && d.levels[inner].strict {
			return "a " + d.levels[inner].name + " inside of the " + l.name + " is still open"
		} else if inner >= 0 {
			r.leftOpen(d.levels[inner].name)
			d.drop(o, s.level)
			at = o.find(s.level, key)
		}
		o.remove(at)
		o.ever[s.level] |= 2
		return ""
	case s.do == nestHold && at >= 0:
		return ""
	case s.do == nestHold && !l.implied:
		return "no such " + l.name + " is open"
	case s.do == nestOpen && at >= 0:
		return "that " + l.name + " was begun already"
	case l.in >= 0 && !o.any(int8(l.in)):
		return "no " + d.levels[l.in].name + " is open"
	case s.do == nestOpen && l.again && o.ever[s.level]&2 != 0 && r.sum.Terminals > 0:
		r.sum.Terminals, r.sum.AfterTerminal, r.firstTerminal = 0, 0, 0 // one more run
	}
	o.add(s.level, key)
	return ""
}

// inside is a level of which something is open in another, -1 for none.
func (d *nest) inside(o *nested, level int8) int {
	for i := range o.n {
		if d.within(o.open[i].level, level) {
			return int(o.open[i].level)
		}
	}
	return -1
}

// within reports whether a level stands in another, however deep.
func (d *nest) within(inner, outer int8) bool {
	for in := d.levels[inner].in; in >= 0; in = d.levels[in].in {
		if in == int(outer) {
			return true
		}
	}
	return false
}

// drop forgets what is open in a level.
func (d *nest) drop(o *nested, level int8) {
	for i := 0; i < o.n; {
		if d.within(o.open[i].level, level) {
			o.remove(i)
		} else {
			i++
		}
	}
}

// leftOpen notes that the answer ended without closing what it had opened.
func (r *dataReader) leftOpen(name string) {
	if r.sum.Unclosed == "" {
		r.sum.Unclosed = name
	}
}

// closed looks at what was left open at the terminal. Gateways that imitate an API
// leave closing events out, and clients do not mind: that is for others to weigh, who
// know whether this server closes its other answers. It is damage by itself where the
// clients of the protocol reject the answer, and where the API gives a reason for
// each end and this answer has none: so looks what a gateway makes of an upstream that
// was cut.
func (r *dataReader) closed() {
	o, d := r.nested, r.d.nest
	if o.lost {
		return
	}
	for i := range o.n {
		l := &d.levels[o.open[i].level]
		if r.leftOpen(l.name); l.strict {
			r.corrupt(Misnested, "the terminal came while a "+l.name+" was open")
		}
	}
	if r.sum.Unclosed != "" && r.d.reasoned && !r.over {
		r.corrupt(Misnested, "the terminal came while a "+r.sum.Unclosed+" was open, and no reason for the end was given")
	}
}

// closes reports whether an answer closed something inside of it.
func (d *nest) closes(o *nested) bool {
	for i, l := range d.levels {
		if !l.outer && o.ever[i]&2 != 0 {
			return true
		}
	}
	return false
}

// nest compiles the levels of a dialect.
func (c *compiler) nest(levels []Level, by string) *nest {
	if len(levels) == 0 {
		return nil
	}
	n := &nest{byPath: -1}
	if by != "" && by != "event" {
		n.byPath = c.valueAt("nest_by", by)
	}
	if len(levels) > len(nested{}.ever) {
		c.fail("nest", fmt.Sprintf("more than %d levels", len(nested{}.ever)), "leave some out")
		return n
	}
	for i, l := range levels {
		at := fmt.Sprintf("nest[%d]", i)
		out := level{name: l.Name, in: -1, implied: l.Implied, again: l.Again, strict: l.Strict}
		for j, before := range n.levels {
			if before.name == l.In {
				out.in = j
				n.levels[j].outer = before.in < 0
			}
		}
		if l.In != "" && out.in < 0 {
			c.fail(at+".in", fmt.Sprintf("no level %q stands before this one", l.In), "name one that does")
		}
		for j, key := range l.Key {
			out.keys = append(out.keys, c.valueAt(fmt.Sprintf("%s.key[%d]", at, j), key))
		}
		n.levels = append(n.levels, out)
		for do, events := range [][]string{nestOpen: l.Open, nestClose: l.Close, nestEnd: l.Ends, nestHold: l.Holds} {
			for _, e := range events {
				n.steps = append(n.steps, nestStep{e, int8(i), nestDo(do)})
			}
		}
	}
	return n
}
