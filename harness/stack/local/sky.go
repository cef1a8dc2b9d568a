package local

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/streamproof/streamproof/harness/stack"
)

// A sky is the weather over one lane that can change while streams are under
// way: latency and bandwidth towards the client.
//
// toxiproxy's own way of changing it, taking a toxic off, deadlocks as soon as
// one client has gone while data for it was on its way: nobody empties that link
// any more, the removal waits for it under the collection's lock, and no new
// connection is served. An edge that gives up on a slow app does just that. So
// each lane has one toxic of ours from before its first connection to its end,
// and only what it does changes.
type sky struct {
	closed chan struct{}

	mu      sync.Mutex // guards what follows
	over    bool
	toxics  []stack.Toxic
	changed chan struct{} // closed when toxics change
}

const skyType = "streamproof"

func init() { toxics.Register(skyType, new(skyToxic)) }

// skies are found by number, since a toxic is made from JSON.
var (
	skies  sync.Map // int64 to *sky
	skyNum atomic.Int64
)

func newSky() (s *sky, number int64) {
	s = &sky{closed: make(chan struct{}), changed: make(chan struct{})}
	number = skyNum.Add(1)
	skies.Store(number, s)
	return s, number
}

// skyJSON is the toxic that puts s over a lane.
func skyJSON(number int64) []byte {
	b, _ := json.Marshal(map[string]any{"name": skyType, "type": skyType, "stream": stack.Downstream, "toxicity": 1,
		"attributes": map[string]int64{"sky": number}}) // strings and numbers always encode
	return b
}

// takes reports whether t is weather.
func (s *sky) takes(t stack.Toxic) bool {
	return t.Direction == stack.Downstream && (t.Type == "latency" || t.Type == "bandwidth")
}

func (s *sky) add(t stack.Toxic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toxics = append(s.toxics, t)
	s.turn()
}

// remove reports whether there was weather of that name.
func (s *sky) remove(name string) bool {
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

// turn wakes whoever waits in the old weather.
func (s *sky) turn() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// close lets go of all that is under way.
func (s *sky) close(number int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.closed)
		skies.Delete(number)
	}
}

// A moment is the weather at one time.
type moment struct {
	delay, jitter time.Duration
	rate          int64 // KB/s; negative for no limit
	changed       <-chan struct{}
}

func (s *sky) now() moment {
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

// A skyToxic is the sky over one connection. Its fields are its JSON.
type skyToxic struct {
	Sky int64 `json:"sky"`
}

// Pipe implements toxics.Toxic.
func (t *skyToxic) Pipe(stub *toxics.ToxicStub) {
	found, ok := skies.Load(t.Sky)
	if !ok {
		new(toxics.NoopToxic).Pipe(stub)
		return
	}
	f := front{sky: found.(*sky), ToxicStub: stub}
	for f.step() {
	}
}
