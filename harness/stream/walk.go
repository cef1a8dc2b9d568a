package stream

// A node is a place in the JSON of an event that some rule of a dialect asks for.
// All rules of a dialect share one tree, so that an event is read once:
//
//	.choices[].delta.content        choices ─ [] ┬ delta ┬ content   bit 0
//	.choices[].delta.*                           │       └ *         bit 1
//	.choices[].finish_reason                     └ finish_reason     action
type node struct {
	names []named
	any   *node // .*
	each  *node // []
	index []*node
	inner bool // it has children in an object
	tree  bool // it has children

	table  []*named // of seal: by the hash of a name, nil where there is none
	factor uint

	bit    uint64 // set where a value is there and not empty
	slot   int    // from 1: where the value is kept; 0 for nowhere
	own    bool   // that it is there shows that the event is of this API
	choice bool   // its elements are choices, and objects
	act    action
}

type named struct {
	name string
	node *node
}

// An action is what else is done with a value.
type action uint8

const (
	noAction     action = iota
	choiceIndex         // of the choice in hand
	finishReason        // of the choice in hand, or of the answer
	inputTokens
	outputTokens
	reasoningTokens
)

func (n *node) child(s step) *node {
	n.tree = true
	switch {
	case s.index == stepEach:
		return made(&n.each)
	case s.index == stepAny:
		n.inner = true
		return made(&n.any)
	case s.index >= 0:
		for len(n.index) <= s.index {
			n.index = append(n.index, nil)
		}
		return made(&n.index[s.index])
	}
	n.inner, n.table = true, nil
	if found := n.member([]byte(s.name)); found != nil {
		return found
	}
	n.names = append(n.names, named{s.name, new(node)})
	return n.names[len(n.names)-1].node
}

func made(at **node) *node {
	if *at == nil {
		*at = new(node)
	}
	return *at
}

// member finds the node of a name. After seal it compares with one name at most.
func (n *node) member(name []byte) *node {
	if n.table != nil {
		m := n.table[hashName(name, n.factor)&uint(len(n.table)-1)]
		if m == nil || m.name != string(name) {
			return nil
		}
		return m.node
	}
	for i := range n.names {
		if n.names[i].name == string(name) {
			return n.names[i].node
		}
	}
	return nil
}

// hashName tells names apart by their length and their first and last byte.
func hashName(name []byte, factor uint) uint {
	if len(name) == 0 {
		return 0
	}
	return factor * (uint(len(name)) + 7*uint(name[0]) + 31*uint(name[len(name)-1])) >> 4
}

// seal looks for a table in which no two names of a node meet, and leaves those to be
// compared one by one where there is none.
func (n *node) seal() {
	for size := uint(4); size <= 64 && n.table == nil && len(n.names) > 1; size *= 2 {
		for factor := uint(1); factor < 512 && n.table == nil; factor += 2 {
			n.table, n.factor = n.tableOf(size, factor), factor
		}
	}
	for _, m := range n.names {
		m.node.seal()
	}
	for _, c := range append([]*node{n.any, n.each}, n.index...) {
		if c != nil {
			c.seal()
		}
	}
}

func (n *node) tableOf(size, factor uint) []*named {
	table := make([]*named, size)
	for i := range n.names {
		at := &table[hashName([]byte(n.names[i].name), factor)&(size-1)]
		if *at != nil {
			return nil
		}
		*at = &n.names[i]
	}
	return table
}

// within are the places of values in the data of an event.
type within struct{ from, to int32 }

// A walk is one pass over the data of an event. It lives on the stack.
type walk struct {
	c      cursor
	r      *dataReader
	hits   uint64
	own    bool
	vals   [maxSlots]within
	index  int64
	reason []byte // finish reason of the choice in hand, nil for none
	ends   bool   // some choice got its finish reason
	fails  []byte // a reason that names a failure
}

// value is what the walk kept in a slot, nil for nothing.
func (w *walk) value(slot int) []byte {
	if slot < 0 || w.vals[slot].to == 0 {
		return nil
	}
	return w.c.b[w.vals[slot].from:w.vals[slot].to]
}

// take reads one value, which stands at n.
func (w *walk) take(n *node) {
	var raw []byte
	if n.tree {
		raw = w.inside(n)
	} else {
		raw = w.c.pass()
	}
	if w.c.bad {
		return
	}
	if n.bit != 0 && !emptyJSON(raw) {
		w.hits |= n.bit
	}
	if n.slot > 0 {
		w.vals[n.slot-1] = within{int32(w.c.i - len(raw)), int32(w.c.i)}
	}
	w.own = w.own || n.own
	if n.act != noAction {
		w.do(n.act, raw)
	}
}

// inside reads a value and what is asked for inside of it.
func (w *walk) inside(n *node) []byte {
	ch := w.c.peek()
	from := w.c.i
	switch {
	case ch == '{' && n.inner:
		w.object(n)
	case ch == '[' && (n.each != nil || n.index != nil):
		w.array(n)
	default:
		return w.c.skip()
	}
	if w.c.bad {
		return nil
	}
	return w.c.b[from:w.c.i]
}

func (w *walk) object(n *node) {
	for w.c.open('{'); w.c.next('}'); {
		m := n.member(w.c.name())
		if m == nil {
			m = n.any
		}
		if m == nil {
			w.c.pass()
		} else {
			w.take(m)
		}
	}
}

func (w *walk) array(n *node) {
	w.c.open('[')
	for i := 0; w.c.more(']'); i++ {
		switch {
		case i < len(n.index) && n.index[i] != nil:
			w.indexed(n, i)
		case n.choice:
			w.alternative(n.each)
		case n.each != nil:
			w.take(n.each)
		default:
			w.c.skip()
		}
	}
}

// indexed reads an element that is asked for by its index, and as one of all where
// that is asked for as well.
func (w *walk) indexed(n *node, i int) {
	from := w.c.i
	if w.take(n.index[i]); n.each == nil || w.c.bad {
		return
	}
	w.c.i, w.c.first = from, false
	if n.choice {
		w.alternative(n.each)
	} else {
		w.take(n.each)
	}
}

// alternative reads one choice.
func (w *walk) alternative(n *node) {
	if w.c.peek() != '{' {
		w.c.bad = true
		return
	}
	w.index, w.reason = 0, nil
	w.take(n)
	if !w.c.bad {
		w.r.choice(w)
	}
}

func (w *walk) do(a action, raw []byte) {
	if a == finishReason {
		w.finish(raw)
		return
	}
	n, ok := parseInt(raw)
	if !ok {
		return
	}
	u := &w.r.sum.Usage
	switch a {
	case choiceIndex:
		w.index = n
	case inputTokens:
		u.Input = max(n, 0)
	case outputTokens:
		u.Output = max(n, 0)
	case reasoningTokens:
		u.Reasoning = max(n, 0)
	}
}

// finish takes a finish reason.
func (w *walk) finish(raw []byte) {
	if emptyJSON(raw) {
		return
	}
	w.reason = raw
	if len(raw) < 3 || raw[0] != '"' {
		return
	}
	if reason := raw[1 : len(raw)-1]; w.r.d.fails(reason) {
		w.fails = reason
	} else {
		w.r.because(reason)
	}
}
