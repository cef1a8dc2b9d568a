package process

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/streamproof/streamproof/harness/stack"
)

// An impairment is what one lane does to its traffic, which can change while streams are under
// way: latency and bandwidth towards the client.
//
// toxiproxy's own way of changing it, taking a toxic off, deadlocks as soon as
// one client has gone while data for it was on its way: nobody empties that link
// any more, the removal waits for it under the collection's lock, and no new
// connection is served. An edge that gives up on a slow app does just that. So
// each lane has one toxic of ours from before its first connection to its end,
// and only what it does changes.
type impairment struct {
	closed chan struct{}

	mu      sync.Mutex // guards what follows
	over    bool
	toxics  []stack.Toxic
	changed chan struct{} // closed when toxics change
}

const impairmentType = "streamproof"

func init() { toxics.Register(impairmentType, new(impairmentToxic)) }

// impairments are found by number, since a toxic is made from JSON.
var (
	impairments   sync.Map // int64 to *impairment
	impairmentNum atomic.Int64
)

func newImpairment() (s *impairment, number int64) {
	s = &impairment{closed: make(chan struct{}), changed: make(chan struct{})}
	number = impairmentNum.Add(1)
	impairments.Store(number, s)
	return s, number
}

// impairmentJSON is the toxic that puts s over a lane.
func impairmentJSON(number int64) []byte {
	b, _ := json.Marshal(map[string]any{"name": impairmentType, "type": impairmentType, "stream": stack.Downstream, "toxicity": 1,
		"attributes": map[string]int64{"impairment": number}}) // strings and numbers always encode
	return b
}

// takes reports whether t is such a toxic.
func (s *impairment) takes(t stack.Toxic) bool {
	return t.Direction == stack.Downstream && (t.Type == "latency" || t.Type == "bandwidth")
}

func (s *impairment) add(t stack.Toxic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toxics = append(s.toxics, t)
	s.turn()
}

// remove reports whether there was a toxic of that name.
func (s *impairment) remove(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, t := range s.toxics {
		if t.Name == name {
			s.toxics = append(s.toxics[:i:i], s.toxics[i+1:]...)
			s.turn()
			return true
		}
	}
	return false
}

// turn wakes whoever waits under the old toxics.
func (s *impairment) turn() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// close lets go of all that is under way.
func (s *impairment) close(number int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.closed)
		impairments.Delete(number)
	}
}

// A moment is the impairment at one time.
type moment struct {
	delay, jitter time.Duration
	rate          int64 // KB/s; negative for no limit
	changed       <-chan struct{}
}

func (s *impairment) now() moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := moment{rate: -1, changed: s.changed}
	for _, t := range s.toxics {
		switch t.Type {
		case "latency":
			m.delay, m.jitter = m.delay+t.Millis("latency"), m.jitter+t.Millis("jitter")
		case "bandwidth":
			m.rate = t.Int("rate")
		}
	}
	return m
}

// An impairmentToxic is the impairment over one connection. Its fields are its JSON.
type impairmentToxic struct {
	Impairment int64 `json:"impairment"`
}

// Pipe implements toxics.Toxic.
func (t *impairmentToxic) Pipe(stub *toxics.ToxicStub) {
	found, ok := impairments.Load(t.Impairment)
	if !ok {
		new(toxics.NoopToxic).Pipe(stub)
		return
	}
	f := delayer{impairment: found.(*impairment), ToxicStub: stub}
	for f.step() {
	}
}
