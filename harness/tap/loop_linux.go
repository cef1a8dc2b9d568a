//go:build linux && (amd64 || arm64)

package tap

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamproof/streamproof/harness/record"
)

// A loop carries plain HTTP/1.1 streams: one goroutine waits for all their
// sockets with an edge-triggered epoll and does all their work.
//
//	start ──inbox──▶ connecting ──▶ writing ──▶ reading ──▶ finish
//	                     └───────────── timers ─────────────┘
//
// The caller's goroutine resolves the name and starts the connect; everything
// after that is the loop's. Other goroutines reach it through the inbox alone.
type loop struct {
	tap   *Tap
	clock clock
	ep    int // epoll
	bell  int // eventfd: there is something in the inbox
	// anchor is a socket that asks for stamps as long as the loop lives. The
	// kernel starts to stamp packets when the first such socket appears, and does
	// so late: without it, the first packets of a run may bear no stamp.
	anchor int

	rx      receiver
	buf     []byte // one for all streams: it is decoded before the next read
	table   []*flight
	epochs  []int32
	free    []int32
	timers  timers
	again   []*flight // read in bursts, may hold more
	handoff conns     // takes over compressed streams
	// scanned is when epoll last began to look at all sockets, and quiet the same
	// for the look before: what a wait returns arrived after the look before it.
	scanned, quiet time.Duration
	looked         time.Duration // when the last wait returned
	yielded        time.Duration // when others last had their turn

	mu     sync.Mutex // guards inbox and rung
	inbox  []*flight
	rung   bool
	closed bool
	done   chan struct{}
}

const (
	bufSize = 64 << 10
	// burst is how many full buffers one stream may take before others have
	// their turn.
	burst = 4
	batch = 256 // epoll events a wait
)

// bellKey is the table slot that stands for the bell.
const bellKey = -1

func newLoop(t *Tap) (carrier, error) {
	l := &loop{tap: t, clock: *t.clock, buf: make([]byte, bufSize), done: make(chan struct{}), ep: -1, bell: -1,
		anchor: -1}
	l.handoff.t = t
	l.rx.init()
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.shut())
	}
	go l.run() // ends when close has rung the bell
	return l, nil
}

func (l *loop) open() (err error) {
	if l.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create epoll: %w", err)
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	if l.anchor, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return fmt.Errorf("create socket: %w", err)
	}
	if err := stampsOn(l.anchor); err != nil {
		return fmt.Errorf("ask for receive stamps: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: bellKey}
	if err := unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, l.bell, &ev); err != nil {
		return fmt.Errorf("watch eventfd: %w", err)
	}
	return nil
}

func (l *loop) shut() error {
	var errs []error
	for _, fd := range []int{l.ep, l.bell, l.anchor} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

// close ends the loop and the goroutines of streams that it handed off.
func (l *loop) close() error {
	l.mu.Lock()
	l.closed = true
	l.ring()
	l.mu.Unlock()
	<-l.done
	return errors.Join(l.shut(), l.handoff.close())
}

// wake makes the loop look at f.
func (l *loop) wake(f *flight) {
	l.mu.Lock()
	l.inbox = append(l.inbox, f)
	l.ring()
	l.mu.Unlock()
}

// ring wakes the loop. l.mu is held.
func (l *loop) ring() {
	if l.rung {
		return
	}
	l.rung = true
	one := [8]byte{7: 1} // any value but 0
	// An eventfd write fails only if its counter is full, and then it is readable.
	unix.Write(l.bell, one[:])
}

// run is the loop.
func (l *loop) run() {
	defer close(l.done)
	events := make([]unix.EpollEvent, batch)
	for {
		n := l.await(events)
		l.clock.sample()
		for _, ev := range events[:n] {
			l.ready(&ev)
		}
		l.readAgain()
		l.expire()
		if !l.takeInbox() {
			return
		}
		l.yield()
	}
}

// turn is how long a loop runs before it yields, which wakes a thread. It is below the
// 10 ms after which the runtime takes the processor from a goroutine by force
// (forcePreemptNS in runtime/proc.go): from one that sleeps in a system call, whereupon
// the runtime's monitor looks every 20 µs for milliseconds whether there are more, and
// 10 ms later again. That was an eighth of the CPU of a whole run.
const turn = 8 * time.Millisecond

// yield gives other goroutines their turn, before the runtime does.
func (l *loop) yield() {
	if l.looked-l.yielded >= turn {
		l.yielded = l.looked
		runtime.Gosched()
	}
}

// lookEvery bounds the sleep of a loop that has streams. A read that returns many
// segments bears the stamp of the last alone; the others came after the last look
// at which the socket was empty. After a long silence, this is what tells a burst
// from events that we were late for, and so a buffered stream from a live one.
// It costs an idle loop 200 wake-ups a second, and a busy one nothing.
const lookEvery = 5 * time.Millisecond

// Looks of a loop that has crowd streams or more are gather apart at least: what came
// meanwhile is read in one go, which costs a wake-up for each 25 events instead of
// for each. Arrivals are the kernel's stamps, and do not get later by it.
const (
	crowd  = 256
	gather = 500 * time.Microsecond
)

// gatherMore sleeps until a crowded loop is to look again.
func (l *loop) gatherMore() {
	if len(l.table)-len(l.free) < crowd || len(l.again) > 0 {
		return
	}
	if rest := l.looked + gather - l.clock.now(); rest > 0 {
		// It may end early, by a signal, and the loop then looks early.
		ts := unix.NsecToTimespec(int64(rest))
		unix.Nanosleep(&ts, nil)
	}
}

// await sleeps until there is something to do.
func (l *loop) await(events []unix.EpollEvent) int {
	l.gatherMore()
	timeout := -1
	switch {
	case len(l.again) > 0:
		timeout = 0
	case len(l.timers) > 0:
		wait := min(l.timers[0].poll.due-l.clock.now(), lookEvery)
		// Rounded up: a wait that ends early would only be repeated.
		timeout = int(max(0, min(wait+time.Millisecond-1, time.Hour)) / time.Millisecond)
	}
	began := l.clock.now()
	n, err := unix.EpollWait(l.ep, events, timeout)
	l.looked = l.clock.now()
	if err != nil {
		return 0 // EINTR; the others are impossible with these arguments
	}
	l.quiet = l.scanned
	if n < len(events) { // else some may be left for the next look
		l.scanned = began
	}
	return n
}

// takeInbox attends to what other goroutines brought. It reports false when the
// loop is to end.
func (l *loop) takeInbox() bool {
	l.mu.Lock()
	box, end := l.inbox, l.closed
	l.inbox = nil
	if l.rung {
		var count [8]byte
		unix.Read(l.bell, count[:]) // resets it
		l.rung = false
	}
	l.mu.Unlock()
	for _, f := range box {
		l.attend(f)
	}
	return !end
}

// attend looks at a flight that is new or that somebody hung up on.
func (l *loop) attend(f *flight) {
	switch {
	case f.over.Load():
		return
	case f.poll.handed:
		l.handoff.wake(f)
		return
	case f.poll.slot < 0:
		l.admit(f)
	}
	if f.cut.Load() != nil && !f.over.Load() {
		l.end(f, ending{at: l.clock.now()})
	}
}

// admit gives f a slot and watches its socket.
func (l *loop) admit(f *flight) {
	if len(l.free) == 0 {
		l.free = append(l.free, int32(len(l.table)))
		l.table = append(l.table, nil)
		l.epochs = append(l.epochs, 0)
	}
	slot := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	l.epochs[slot]++
	l.table[slot] = f
	f.poll.slot, f.poll.epoch = slot, l.epochs[slot]
	l.watch(f)
}

// watch adds the socket of f to the epoll. What is ready already is reported
// at once.
func (l *loop) watch(f *flight) {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd: f.poll.slot, Pad: f.poll.epoch}
	if err := unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, int(f.poll.fd), &ev); err != nil {
		l.end(f, ending{at: l.clock.now(), close: record.CloseError, err: fmt.Errorf("watch socket: %w", err)})
		return
	}
	l.timers.set(f, f.due().at)
}

// leave takes f out of the loop without closing its socket.
func (l *loop) leave(f *flight) {
	l.timers.remove(f)
	if f.poll.slot >= 0 {
		l.table[f.poll.slot] = nil
		l.free = append(l.free, f.poll.slot)
		f.poll.slot = -1
	}
}

// end closes the socket, which takes it out of the epoll as well, and finishes f.
func (l *loop) end(f *flight, e ending) {
	l.leave(f)
	unix.Close(int(f.poll.fd))
	f.poll.fd = -1
	f.finish(e)
}

// ready attends to one flight's socket.
func (l *loop) ready(ev *unix.EpollEvent) {
	if ev.Fd == bellKey {
		return
	}
	f := l.table[ev.Fd]
	if f == nil || f.poll.epoch != ev.Pad {
		return // ended earlier in this batch
	}
	if f.rec.Connect < 0 && !l.connected(f) {
		return
	}
	if f.req != nil && ev.Events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		l.write(f)
	}
	if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		if !f.poll.more { // else older bytes wait there
			f.floor = max(f.floor, l.quiet)
		}
		l.read(f, ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
	} else if f.rearm {
		l.arm(f)
	}
}

// arm sets the timer of f to the next of its limits, or to its next ration.
func (l *loop) arm(f *flight) {
	f.rearm = false
	at := f.due().at
	if f.pace.slow() && f.poll.more {
		at = min(at, f.pace.next)
	}
	l.timers.set(f, at)
}

// expire ends the flights whose limits have struck, and feeds those whose time has
// come.
func (l *loop) expire() {
	now := l.clock.now()
	for len(l.timers) > 0 && l.timers[0].poll.due <= now {
		f := l.timers[0]
		thirsty := f.pace.slow() && f.poll.more && f.pace.next <= now
		if (thirsty || f.due().at <= now) && f.rec.Connect >= 0 {
			// If we were late ourselves, the event may lie in the socket already.
			l.read(f, true)
		}
		if f.poll.slot < 0 {
			continue
		}
		if d := f.due(); d.at > now {
			l.arm(f)
		} else {
			l.end(f, ending{at: now, limit: d.limit})
		}
	}
}
