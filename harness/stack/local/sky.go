package local

import (
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	toxistream "github.com/Shopify/toxiproxy/v2/stream"
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
	delay   time.Duration
	rate    int64 // KB/s; negative for no limit
	changed <-chan struct{}
}

func (s *sky) now() moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := moment{rate: -1, changed: s.changed}
	for _, t := range s.toxics {
		switch t.Type {
		case "latency":
			m.delay += t.Millis("latency")
			if j := t.Millis("jitter"); j > 0 {
				m.delay += rand.N(2*j) - j
			}
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

// GetBufferSize implements toxics.BufferedToxic: chunks get their time stamps
// when they arrive, also while earlier ones wait.
func (*skyToxic) GetBufferSize() int { return 256 }

// Pipe implements toxics.Toxic.
func (t *skyToxic) Pipe(stub *toxics.ToxicStub) {
	found, ok := skies.Load(t.Sky)
	if !ok {
		new(toxics.NoopToxic).Pipe(stub)
		return
	}
	s := found.(*sky)
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if !s.pass(stub, c) {
				return
			}
		}
	}
}

// pass sends a chunk on when its time has come, in pieces where the bandwidth
// asks for it. false ends the pipe.
func (s *sky) pass(stub *toxics.ToxicStub, c *toxistream.StreamChunk) bool {
	for len(c.Data) > 0 {
		m := s.now()
		wait, size := m.next(c)
		timer := time.NewTimer(wait)
		ready := timer.C
		if m.rate == 0 {
			ready = nil // until the weather changes
		}
		select {
		case <-m.changed:
			timer.Stop()
			continue
		case <-s.closed:
			timer.Stop()
			return drain(stub)
		case <-stub.Interrupt:
			timer.Stop()
			stub.WriteOutput(c, interruptLimit)
			return false
		case <-ready:
		}
		piece := &toxistream.StreamChunk{Data: c.Data[:size], Timestamp: c.Timestamp}
		c.Data = c.Data[size:]
		if !s.send(stub, piece, c) {
			return false
		}
	}
	return true
}

// next is how long to wait, and for how many bytes.
func (m moment) next(c *toxistream.StreamChunk) (wait time.Duration, size int) {
	wait, size = time.Until(c.Timestamp.Add(m.delay)), len(c.Data)
	if m.rate > 0 {
		size = int(min(int64(size), max(1, m.rate*slice.Milliseconds())))
		wait = max(wait, time.Duration(int64(size)*1000/m.rate)*time.Microsecond) // KB/s are bytes a ms
	}
	return wait, size
}

const (
	// slice is how long a narrow lane collects before it sends.
	slice = 100 * time.Millisecond
	// interruptLimit is toxiproxy's own: how long an interrupted toxic tries to get
	// rid of what it holds.
	interruptLimit = 5 * time.Second
)

// send hands a piece on. rest is what is left of its chunk.
func (s *sky) send(stub *toxics.ToxicStub, piece, rest *toxistream.StreamChunk) bool {
	select {
	case stub.Output <- piece:
		return true
	case <-s.closed:
		return drain(stub)
	case <-stub.Interrupt:
		stub.WriteOutput(piece, interruptLimit)
		if len(rest.Data) > 0 {
			stub.WriteOutput(rest, interruptLimit)
		}
		return false
	}
}

// drain swallows the rest, so that whoever is behind us can end.
func drain(stub *toxics.ToxicStub) bool {
	for {
		select {
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return false
			}
		case <-stub.Interrupt:
			return false
		}
	}
}
