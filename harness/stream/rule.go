package stream

import (
	"fmt"
	"strings"
)

// A rule is compiled from one line of a [Spec]: a bit that the walk over the event
// sets where the path has a value, a condition, or both.
type rule struct {
	bit  uint64 // 0 for a rule without a path
	slot int    // where the value of the path is kept; -1 where nobody asks for it
	when *condition
}

// holds reports whether the rule holds for the event that was walked.
func (r *rule) holds(f *Frame, w *walk) bool {
	return (r.bit == 0 || w.hits&r.bit != 0) && (r.when == nil || r.when.holds(f, w))
}

// rules hold where one of them does. Those without a condition are one mask.
type rules struct {
	mask uint64
	rest []rule
}

func (rs *rules) hold(f *Frame, w *walk) bool {
	return w.hits&rs.mask != 0 || len(rs.rest) > 0 && rs.other(f, w)
}

func (rs *rules) other(f *Frame, w *walk) bool {
	for i := range rs.rest {
		if rs.rest[i].holds(f, w) {
			return true
		}
	}
	return false
}

func (rs *rules) empty() bool { return rs.mask == 0 && len(rs.rest) == 0 }

// A condition is an expression whose JSON values are taken from the walk instead of
// being looked for again.
type condition struct{ any [][]slotTest }

type slotTest struct {
	test
	slot int
}

func (c *condition) holds(f *Frame, w *walk) bool {
	for _, all := range c.any {
		if holdAll(all, f, w) {
			return true
		}
	}
	return false
}

func holdAll(all []slotTest, f *Frame, w *walk) bool {
	for i := range all {
		if !all[i].holds(f, w) {
			return false
		}
	}
	return true
}

func (t *slotTest) holds(f *Frame, w *walk) bool {
	if t.subject != subjectJSON {
		return t.match(f)
	}
	raw := w.value(t.slot)
	return raw != nil && t.matchJSON(raw) != t.not
}

// A compiler builds what one dialect looks for in an event.
type compiler struct {
	name  string
	root  node
	bits  int
	slots int
	err   error
}

// Bounds of one dialect. A walk keeps its values on the stack.
const (
	maxBits  = 64
	maxSlots = 20
)

func (c *compiler) fail(path, problem, fix string) {
	if c.err == nil {
		c.err = &SpecError{Dialect: c.name, Path: path, Problem: problem, Fix: fix}
	}
}

// rules compiles the lines at a key.
func (c *compiler) rules(key string, lines []string) (rs rules) {
	for i, line := range lines {
		r := c.rule(fmt.Sprintf("%s[%d]", key, i), line, false)
		if r.when == nil && r.bit != 0 {
			rs.mask |= r.bit
		} else {
			rs.rest = append(rs.rest, r)
		}
	}
	return rs
}

// rule compiles one line. keep asks for the value at its path.
func (c *compiler) rule(key, line string, keep bool) rule {
	r := rule{slot: -1}
	path, expr, both := strings.Cut(line, " when ")
	switch {
	case strings.HasPrefix(line, ".") || strings.HasPrefix(line, "["):
		n := c.at(key, path)
		if n == nil {
			return r
		}
		if n.bit == 0 {
			if c.bits++; c.bits > maxBits {
				c.fail(key, fmt.Sprintf("more than %d paths", maxBits), "leave some out")
				return r
			}
			n.bit = 1 << (c.bits - 1)
		}
		if r.bit = n.bit; keep {
			r.slot = c.slot(key, n)
		}
		if both {
			r.when = c.condition(key, expr, len(line)-len(expr))
		}
	case line == "":
		c.fail(key, "an empty rule", "write a path such as .text, or an expression such as json .type == end")
	default:
		r.when = c.condition(key, line, 0)
	}
	return r
}

// condition compiles an expression, which stands at a byte of its line.
func (c *compiler) condition(key, expr string, at int) *condition {
	m, err := ParseTerminal(expr)
	if err != nil {
		if e, ok := err.(*ExprError); ok {
			e.Column += at
		}
		c.exprError(key, err)
		return nil
	}
	out := &condition{}
	for _, tests := range m.any {
		var all []slotTest
		for _, t := range tests {
			st := slotTest{test: t, slot: -1}
			if t.subject == subjectJSON {
				st.slot = c.slot(key, c.reach(t.path))
			}
			all = append(all, st)
		}
		out.any = append(out.any, all)
	}
	return out
}

func (c *compiler) exprError(key string, err error) {
	if e, ok := err.(*ExprError); ok {
		c.fail(key, fmt.Sprintf("column %d: %s", e.Column, e.Msg), e.Hint)
		return
	}
	c.fail(key, err.Error(), "")
}

// at finds the node of a path, nil where it does not parse.
func (c *compiler) at(key, path string) *node {
	steps, err := rulePath(path)
	if err != nil {
		c.exprError(key, err)
		return nil
	}
	return c.reach(steps)
}

// valueAt is the slot of the value at a path; -1 for no path.
func (c *compiler) valueAt(key, path string) int {
	if path == "" {
		return -1
	}
	n := c.at(key, path)
	if n == nil {
		return -1
	}
	return c.slot(key, n)
}

func (c *compiler) slot(key string, n *node) int {
	if n.slot > 0 {
		return n.slot - 1
	}
	if c.slots++; c.slots > maxSlots {
		c.fail(key, fmt.Sprintf("more than %d different values are compared", maxSlots), "leave some out")
		return -1
	}
	n.slot = c.slots
	return n.slot - 1
}

// reach makes the nodes on the way to a value.
func (c *compiler) reach(path []step) *node {
	n := &c.root
	for _, s := range path {
		n = n.child(s)
	}
	return n
}

// The steps that only rules have.
const (
	stepEach = -2 // []
	stepAny  = -3 // .*
)

// rulePath parses the path of a rule.
func rulePath(s string) (path []step, err error) {
	p := &exprParser{s: s}
	if s == "." {
		return nil, nil
	}
	for p.i < len(p.s) {
		switch rest := p.s[p.i:]; {
		case strings.HasPrefix(rest, "[]"):
			path, p.i = append(path, step{index: stepEach}), p.i+2
		case strings.HasPrefix(rest, ".*"):
			path, p.i = append(path, step{index: stepAny}), p.i+2
		case rest[0] == '.' || rest[0] == '[':
			st, err := p.step()
			if err != nil {
				return nil, err
			}
			path = append(path, st)
		default:
			return nil, p.errorf(p.i, `write .name, .*, [], [0] or ["any name"], one after the other`, "unexpected %q", rest)
		}
	}
	return path, nil
}
