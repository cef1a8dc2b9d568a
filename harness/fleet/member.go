package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A member is a worker as the fleet knows it.
type member struct {
	fleet *Fleet
	conn  conn
	index int
	of    int
	pid   int
	words func() string

	heres  chan hello
	pongs  chan ping
	readys chan ready
	dones  chan done
	gone   chan struct{} // closed when nothing more comes from it

	mu     sync.Mutex // guards what follows
	heard  time.Time  // when the last message came
	state  record.LoadWorker
	on     record.Agreement // what it did not do, and so was sent away; "" for nothing
	why    string           // why it is gone, in the words of others
	theirs done
	lates  int // streams of the wave that started late, as their records say
	room   int // streams that it may hold at once; 0 before it is known
}

func newMember(f *Fleet, index, of int, m Member) *member {
	x := &member{fleet: f, conn: conn{rw: m.Conn}, index: index, of: of, pid: m.Pid, words: m.Words, heard: time.Now(),
		heres: make(chan hello, 1), pongs: make(chan ping, pings), readys: make(chan ready, 1), dones: make(chan done, 1),
		gone: make(chan struct{})}
	x.reset("")
	return x
}

// reset begins a wave. What is wrong with the worker for good stays.
func (m *member) reset(scenario string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.state
	m.state = record.LoadWorker{Scenario: scenario, Index: m.index, Of: m.of, Pid: m.pid}
	m.theirs, m.lates = done{}, 0
	if was.State == record.LoadWorkerLost || was.On == record.OnVersion || was.On == record.OnProtocol {
		s := &m.state
		s.State, s.On, s.Ours, s.Theirs, s.Why, s.At = was.State, was.On, was.Ours, was.Theirs, was.Why, was.At
	}
}

// came is what it has come to so far.
func (m *member) came() record.LoadWorker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// late is how many streams started late, or could not start in time at all.
func (m *member) late() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.theirs.Late, m.lates)
}

// fault notes what is wrong with the worker. The first fault of a wave stays.
func (m *member) fault(state record.LoadWorkerState, on record.Agreement, ours, theirs, why string) {
	at := m.fleet.o.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.State == "" {
		s := &m.state
		s.State, s.On, s.Ours, s.Theirs, s.Why, s.At = state, on, ours, theirs, why, at
	}
}

// send sends a message. One that cannot be sent loses the worker.
func (m *member) send(k kind, body any) {
	if err := m.conn.send(k, body); err != nil {
		m.hangUp("", err)
	}
}

// hangUp ends the connection, and so the worker, for what it did not do or for an error.
func (m *member) hangUp(on record.Agreement, err error) {
	m.mu.Lock()
	if m.on == "" && m.why == "" {
		if m.on = on; err != nil {
			m.why = err.Error()
		}
	}
	m.mu.Unlock()
	m.conn.close()
}

// listen takes in what comes until nothing more does.
func (m *member) listen() {
	defer close(m.gone)
	m.hangUp("", m.conn.receive(m.take))
	unknown := m.fleet.lose(m)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Unknown = unknown
	if m.words != nil {
		if last := m.words(); last != "" {
			m.why = last
		}
	}
}

func (m *member) take(k kind, body []byte) error {
	m.mu.Lock()
	m.heard = time.Now()
	m.mu.Unlock()
	switch k {
	case kindBegin:
		m.mu.Lock()
		m.state.Started++
		m.mu.Unlock()
		return m.fleet.begin(m, body)
	case kindEnd:
		return m.end(body)
	case kindChanges:
		c, err := read[changes](body)
		if err == nil {
			m.fleet.changes(c)
		}
		return err
	case kindHere:
		return deliver(m.heres, body)
	case kindPong:
		return deliver(m.pongs, body)
	case kindReady:
		return deliver(m.readys, body)
	case kindDone:
		return deliver(m.dones, body)
	}
	return fmt.Errorf("message %d is unknown", k)
}

func (m *member) end(body []byte) error {
	s, err := record.ReadStream(body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.state.Ended++
	if s.Late {
		m.lates++
	}
	m.mu.Unlock()
	return m.fleet.end(m, s)
}

// deliver hands an answer to whoever waits for it.
func deliver[T any](to chan T, body []byte) error {
	x, err := read[T](body)
	if err != nil {
		return err
	}
	select {
	case to <- x:
		return nil
	default:
		return errors.New("an answer came that nobody has asked for")
	}
}

// errGone says that no answer will come.
var errGone = errors.New("the connection ended")

// errOrder says that an answer was to another question.
var errOrder = errors.New("an answer was to another ping")

// errSilent says that none came in time.
var errSilent = errors.New("no answer came in time")

// await waits for an answer.
func await[T any](ctx context.Context, m *member, from chan T, limit time.Duration) (x T, err error) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case x = <-from:
		return x, nil
	default:
	}
	select {
	case x = <-from:
		return x, nil
	case <-m.gone:
		return x, errGone
	case <-t.C:
		return x, errSilent
	case <-ctx.Done():
		return x, ctx.Err()
	}
}

// lost notes that the worker has gone, or does not do what it was asked for, and ends it.
func (m *member) lost(state record.LoadWorkerState, on record.Agreement, err error) {
	if errors.Is(err, errGone) {
		state, on = record.LoadWorkerLost, ""
	}
	m.hangUp(on, nil)
	<-m.gone // what it had sent is taken in
	m.mu.Lock()
	on, why := m.on, m.why
	m.mu.Unlock()
	m.fault(state, on, "", "", why)
}

// greet compares versions, and gives the worker the run's clock.
func (m *member) greet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, greetLimit)
	defer cancel()
	release := context.AfterFunc(ctx, func() { m.hangUp(record.OnGreeting, nil) })
	defer release()
	m.send(kindHello, hello{Protocol: Protocol, Version: m.fleet.o.Version})
	here, err := await(context.Background(), m, m.heres, 2*greetLimit)
	if err != nil {
		m.lost(record.LoadWorkerLost, record.OnGreeting, err)
		return
	}
	switch {
	case here.Protocol != Protocol:
		m.fault(record.LoadWorkerDisagrees, record.OnProtocol, fmt.Sprint(Protocol), fmt.Sprint(here.Protocol), "")
		return
	case !same(here.Version, m.fleet.o.Version):
		m.fault(record.LoadWorkerDisagrees, record.OnVersion, m.fleet.o.Version, here.Version, "")
		return
	}
	m.mu.Lock()
	m.room = here.Room
	m.mu.Unlock()
	clock, err := m.measure(context.Background())
	if err != nil {
		m.lost(record.LoadWorkerLost, record.OnGreeting, err)
		return
	}
	m.send(kindSetup, setup{Base: -clock.Ahead, Seed: m.fleet.o.Seed, TLS: m.fleet.o.TLS, Traced: m.fleet.o.traced()})
}

// prepare measures the worker's clock and has it read the wave, whose bytes are given,
// and connect to some places.
func (m *member) prepare(ctx context.Context, w *Wave, wave []byte, reach []place) {
	m.reset(w.Scenario)
	m.agreeOnRoom(w.Streams)
	if m.came().State != "" {
		return
	}
	clock, err := m.measure(ctx)
	if err != nil {
		m.absent(ctx, record.LoadWorkerLost, record.OnSilence, err)
		return
	}
	m.mu.Lock()
	m.state.Before = clock
	m.mu.Unlock()
	m.agreeOnClock(clock)
	guard := time.AfterFunc(readyLimit, func() { m.hangUp(record.OnReady, nil) })
	m.send(kindWave, offer{m.index, m.of, wave, reach})
	guard.Stop()
	r, err := await(ctx, m, m.readys, readyLimit)
	ours := digest(wave, m.index, m.of)
	switch {
	case err != nil:
		m.absent(ctx, record.LoadWorkerLate, record.OnReady, err)
	case r.Err != "":
		m.fault(record.LoadWorkerDisagrees, record.OnPlan, ours, "", r.Err)
	case r.Digest != ours:
		m.fault(record.LoadWorkerDisagrees, record.OnPlan, ours, r.Digest, "")
	case r.Address != "" && r.TLS:
		m.fault(record.LoadWorkerDisagrees, record.OnTLS, r.Address, r.Why, "")
	case r.Address != "":
		m.fault(record.LoadWorkerDisagrees, record.OnReach, r.Address, r.Why, "")
	}
}

// absent is lost where the run goes on: one that was stopped asks for nothing more.
func (m *member) absent(ctx context.Context, state record.LoadWorkerState, on record.Agreement, err error) {
	if ctx.Err() == nil {
		m.lost(state, on, err)
	}
}

// drive has the worker send its share, and waits until it has.
func (m *member) drive(ctx context.Context, at time.Duration) {
	m.mu.Lock()
	m.state.Began, m.heard = at, time.Now()
	m.mu.Unlock()
	m.send(kindGo, start{at})
	stopped, stop := ctx.Done(), time.Time{}
	look := time.NewTicker(Every)
	defer look.Stop()
	for {
		select {
		case d := <-m.dones:
			m.mu.Lock()
			m.theirs = d
			m.mu.Unlock()
			return
		case <-m.gone:
			select {
			case d := <-m.dones: // its last words but one
				m.mu.Lock()
				m.theirs = d
				m.mu.Unlock()
			default:
			}
			m.lost(record.LoadWorkerLost, "", errGone)
			return
		case <-stopped:
			stopped, stop = nil, time.Now()
			m.send(kindStop, nil)
		case <-look.C:
			m.mu.Lock()
			quiet := time.Since(m.heard)
			m.mu.Unlock()
			if quiet > silence || !stop.IsZero() && time.Since(stop) > stopLimit {
				m.lost(record.LoadWorkerLost, record.OnSilence, errSilent)
				return
			}
		}
	}
}

// settle asks, once the share is sent, whether we are at one on what happened.
func (m *member) settle(ctx context.Context) {
	if m.came().State != "" {
		return
	}
	clock, err := m.measure(context.WithoutCancel(ctx))
	if err != nil {
		m.lost(record.LoadWorkerLost, record.OnSilence, err)
		return
	}
	m.mu.Lock()
	m.state.After = clock
	s, d := m.state, m.theirs
	m.state.Asked = d.Asked
	m.mu.Unlock()
	switch {
	case d.Err != "" && ctx.Err() == nil:
		m.fault(record.LoadWorkerBroken, "", "", "", d.Err)
	case d.Started != s.Started || s.Started != s.Ended:
		m.fault(record.LoadWorkerDisagrees, record.OnStreams, fmt.Sprintf("%d/%d", s.Started, s.Ended),
			fmt.Sprint(d.Started), "")
	case d.Behind > latest:
		m.fault(record.LoadWorkerLate, record.OnStart, "", d.Behind.Round(time.Millisecond).String(), "")
	}
	m.agreeOnClock(clock)
	m.fault(record.LoadWorkerDone, "", "", "", "")
}

// agreeOnRoom asks whether the worker may hold its share of so many streams at once.
func (m *member) agreeOnRoom(streams int) {
	m.mu.Lock()
	room := m.room
	m.mu.Unlock()
	if share := (streams + m.of - 1) / m.of; room > 0 && share > room {
		m.fault(record.LoadWorkerDisagrees, record.OnRoom, strconv.Itoa(share), strconv.Itoa(room), "")
	}
}

// agreeOnClock asks whether the worker's times can be compared with others.
func (m *member) agreeOnClock(c record.ClockOffset) {
	if c.Bound() > clockBound {
		m.fault(record.LoadWorkerDisagrees, record.OnClock, clockBound.String(),
			c.Bound().Round(time.Microsecond).String(), "")
	}
}
