package play

import (
	"strings"
	"sync"

	"github.com/streamproof/streamproof/harness/stack"
)

// A roster knows which replica is behind an address that the edge reports. It
// remembers replicas that have gone: their streams end after them.
type roster struct {
	mu     sync.Mutex // guards what follows
	stack  stack.Stack
	byAddr map[string]string
	only   string // the name of the single replica; "" where there are more
	// blind says that streams which name no address may be on any replica, also where
	// there is one: others come without our being told.
	blind bool
}

// open begins with the replicas of a stack, or with none for nil.
func (r *roster) open(s stack.Stack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stack, r.byAddr, r.only = s, map[string]string{}, ""
	if s != nil {
		r.look()
	}
}

// refresh looks for replicas that have come.
func (r *roster) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stack != nil {
		r.look()
	}
}

// look takes over the stack's replicas. r.mu is held.
func (r *roster) look() {
	names := map[string]bool{}
	for _, x := range r.stack.Replicas() {
		for _, addr := range []string{x.Addr, x.Control} {
			if addr != "" {
				r.byAddr[addr] = x.Name
			}
		}
	}
	for _, name := range r.byAddr {
		names[name] = true
		r.only = name
	}
	if len(names) > 1 {
		r.only = ""
	}
}

// name is the replica that served a stream whose edge reports upstream: the last
// address, where nginx tried several ("a:1, b:2"; nginx.org, $upstream_addr).
// Where no edge reports anything, it is the only replica that there is.
func (r *roster) name(upstream string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stack == nil {
		return ""
	}
	if upstream == "" {
		if r.blind {
			return ""
		}
		return r.only
	}
	addr := upstream[strings.LastIndexAny(upstream, " ,")+1:]
	name, ok := r.byAddr[addr]
	if !ok {
		r.look()
		name = r.byAddr[addr]
	}
	return name
}
