package relay

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A loop carries all connections on which nothing is to be struck: one goroutine
// waits for their sockets with an edge-triggered epoll, and moves their bytes
// through one buffer.
//
//	admit ──inbox──▶ register ──▶ move … move ──▶ close
//	                                  └─────────▶ give, to goroutines
//
// What an impairment delays waits with its connection, see delayed, until a timer
// tells that it is due.
//
// It follows requests and responses as the goroutines do, so that a strike that
// is armed late still finds its place. That is below 1 % of what an event costs;
// the rest is the kernel's read and write. A splice(2) would make the same calls,
// and need a pipe, two descriptors more, for each way of each stream.
type loop struct {
	ep    int // epoll
	bell  int // eventfd: there is something in the inbox
	buf   []byte
	table []*conn
	free  []int32
	live  int     // connections in table
	again []moved // ways that may have more to read

	impaired *impairment
	looked   time.Time // when the last wait returned
	yielded  time.Time // when others last had their turn
	timer    int       // timerfd: something that was delayed is due
	rings    time.Time // when the timer does
	due      dues

	mu      sync.Mutex // guards what follows
	inbox   []*conn
	changed bool // strikes were armed
	another bool // there is another impairment
	rung    bool
	closed  bool // no connection will come any more
	ended   bool // ep and bell are closed
}

// A poll is what the loop knows of a connection.
type poll struct {
	client, server int // descriptors
	slot           int32
	heads          int  // requests that were looked at
	waiting        bool // its target may have more than was read
	due            due
}

// A way is one direction of a connection.
type way int32

const (
	upwards way = iota
	downwards
)

// A moved is a way that was read in bursts. The slot tells whether the loop still
// has the connection.
type moved struct {
	c    *conn
	slot int32
	w    way
}

const (
	loopBuffer = 64 << 10
	// loopBurst is how many full buffers one way may take before others have
	// their turn.
	loopBurst = 4
	loopBatch = 256 // epoll events a wait
	bellSlot  = -1
	timerSlot = -2
)

func newLoop(i *impairment) (*loop, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create eventfd: %w", err), unix.Close(ep))
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: bellSlot}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, bell, &ev); err != nil {
		return nil, errors.Join(fmt.Errorf("watch eventfd: %w", err), unix.Close(ep), unix.Close(bell))
	}
	timer, err := newTimer(ep)
	if err != nil {
		return nil, errors.Join(err, unix.Close(ep), unix.Close(bell))
	}
	return &loop{ep: ep, bell: bell, timer: timer, impaired: i, buf: make([]byte, loopBuffer)}, nil
}

// admit takes a connection from its goroutines. It reports false where that has
// ended, and where there are no descriptors left to do so.
func (l *loop) admit(c *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended() {
		return false
	}
	client, err := detach(c.client)
	if err != nil {
		return false
	}
	server, err := detach(c.server)
	if err != nil {
		unix.Close(client)
		return false
	}
	c.client.Close()
	c.server.Close()
	c.client, c.server, c.polled = nil, nil, true
	c.poll = poll{client: client, server: server, slot: -1}
	l.wake(c)
	return true
}

// detach returns a descriptor of the socket that Go's own poller does not watch.
func detach(c *net.TCPConn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	if cerr := raw.Control(func(s uintptr) { fd, err = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) }); cerr != nil {
		return -1, cerr
	}
	return fd, err
}

// wake makes the loop look at c.
func (l *loop) wake(c *conn) { l.tell(func() { l.inbox = append(l.inbox, c) }) }

// armed makes the loop look for connections that are to be struck now.
func (l *loop) armed() { l.tell(func() { l.changed = true }) }

// reconsider makes the loop look at what is delayed, and whether it still is.
func (l *loop) reconsider() { l.tell(func() { l.another = true }) }

// close ends the loop once its connections have ended. Those are ended by the
// caller, before.
func (l *loop) close() { l.tell(func() { l.closed = true }) }

func (l *loop) tell(what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
	if l.rung || l.ended {
		return
	}
	l.rung = true
	// An eventfd write fails only if its counter is full, and then it is readable.
	unix.Write(l.bell, []byte{7: 1})
}

// Looks of a loop that has crowd connections or more are gather apart at least: what
// came meanwhile is moved in one go, which costs a wake-up for all of it. It is what a
// stream that shares its link with so many may be late by.
const (
	crowd  = 256
	gather = 250 * time.Microsecond
)

// gatherMore sleeps until a crowded loop is to look again.
func (l *loop) gatherMore() {
	if l.live < crowd || len(l.again) > 0 {
		return
	}
	if rest := gather - time.Since(l.looked); rest > 0 {
		ts := unix.NsecToTimespec(int64(rest))
		unix.Nanosleep(&ts, nil) // may end early, by a signal
	}
}

// run is the loop. It ends after close.
func (l *loop) run() {
	events := make([]unix.EpollEvent, loopBatch)
	for {
		timeout := -1
		if len(l.again) > 0 {
			timeout = 0
		}
		l.wind()
		l.gatherMore()
		n, _ := unix.EpollWait(l.ep, events, timeout) // fails with EINTR only
		l.looked = time.Now()
		for _, ev := range events[:max(n, 0)] {
			l.ready(&ev)
		}
		l.passDue()
		again := l.again
		l.again = nil
		for _, m := range again {
			if l.table[m.slot] == m.c {
				l.move(m.c, m.w, true)
			}
		}
		if l.attend() {
			return
		}
		l.yield()
	}
}

// turn is how long the loop runs before it yields. It is below the 10 ms after which the
// runtime takes the processor from a goroutine by force (forcePreemptNS in
// runtime/proc.go): from one that sleeps in a system call, whereupon the runtime's
// monitor looks every 20 µs for milliseconds whether there are more.
const turn = 8 * time.Millisecond

// yield gives other goroutines their turn, before the runtime does.
func (l *loop) yield() {
	if l.looked.Sub(l.yielded) >= turn {
		l.yielded = l.looked
		runtime.Gosched()
	}
}

// attend looks into the inbox, and reports whether the loop has ended.
func (l *loop) attend() (over bool) {
	l.mu.Lock()
	box, changed, another, closed := l.inbox, l.changed, l.another, l.closed
	l.inbox, l.changed, l.another = nil, false, false
	if l.rung {
		var count [8]byte
		unix.Read(l.bell, count[:]) // resets it
		l.rung = false
	}
	l.mu.Unlock()
	for _, c := range box {
		l.look(c)
	}
	if changed {
		l.rearm()
	}
	if another {
		l.reconsiderAll()
	}
	if !closed || l.live > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended = len(l.inbox) == 0; l.ended {
		unix.Close(l.ep)
		unix.Close(l.bell)
		unix.Close(l.timer)
	}
	return l.ended
}

// look registers a new connection, and closes one that somebody has ended.
func (l *loop) look(c *conn) {
	c.mu.Lock()
	ours := c.polled
	c.mu.Unlock()
	switch {
	case !ours: // no more
	case c.ended():
		l.shut(c)
	case c.poll.slot < 0:
		l.register(c)
	}
}

// register watches both sockets. What is ready already is reported at once.
func (l *loop) register(c *conn) {
	if len(l.free) == 0 {
		l.free = append(l.free, int32(len(l.table)))
		l.table = append(l.table, nil)
	}
	c.poll.slot = l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	l.table[c.poll.slot] = c
	l.live++
	for w, fd := range []int{upwards: c.poll.client, downwards: c.poll.server} {
		ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: c.poll.slot,
			Pad: int32(w)}
		if err := unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil { // out of memory, or of watches
			l.shut(c)
			return
		}
	}
	l.schedule(c)
}

// unregister forgets c; its sockets are the caller's. A slot is used again only
// after the batch of events at hand.
func (l *loop) unregister(c *conn) {
	if c.poll.slot < 0 {
		return
	}
	l.due.remove(c)
	l.table[c.poll.slot] = nil
	l.free = append(l.free, c.poll.slot)
	c.poll.slot = -1
	l.live--
}

// shut closes both sockets, which takes them out of the epoll.
func (l *loop) shut(c *conn) {
	l.unregister(c)
	c.mu.Lock()
	c.polled = false
	unix.Close(c.poll.client)
	unix.Close(c.poll.server)
	c.once.Do(func() { close(c.gone) })
	c.mu.Unlock()
	c.down.forget()
	c.stopClock()
	c.relay.untrack(c)
}

// give hands c to a goroutine, which runs then.
func (l *loop) give(c *conn, then func()) {
	for _, fd := range []int{c.poll.client, c.poll.server} {
		unix.EpollCtl(l.ep, unix.EPOLL_CTL_DEL, fd, nil) // what follows are duplicates, which would keep it there
	}
	client, err := attach(c.poll.client)
	if err != nil {
		l.shut(c)
		return
	}
	server, err := attach(c.poll.server)
	if err != nil {
		client.Close()
		l.shut(c)
		return
	}
	l.unregister(c)
	c.mu.Lock()
	unix.Close(c.poll.client)
	unix.Close(c.poll.server)
	c.client, c.server, c.polled = client, server, false
	if c.ended() { // meanwhile
		client.Close()
		server.Close()
	}
	c.mu.Unlock()
	c.down.seen = 0
	c.relay.all.Go(then)
}

// attach makes a connection of Go's own of a copy of the descriptor.
func attach(fd int) (*net.TCPConn, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(copied), "relayed")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// rearm gives away the connections that are to be struck now.
func (l *loop) rearm() {
	for _, c := range slices.Clone(l.table) {
		if c != nil && c.watched() {
			l.give(c, c.run)
		}
	}
}

// ready attends to one socket: the way that reads it, and the one that waits to
// write to it.
func (l *loop) ready(ev *unix.EpollEvent) {
	if ev.Fd < 0 {
		return // the bell or the timer
	}
	c := l.table[ev.Fd]
	if c == nil {
		return // gone earlier in this batch
	}
	w := way(ev.Pad)
	const ends = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if other := 1 - w; ev.Events&(unix.EPOLLOUT|ends) != 0 && len(c.backlog(other).rest) > 0 {
		l.move(c, other, true)
	}
	if ev.Events&(unix.EPOLLIN|ends) != 0 && l.table[ev.Fd] == c {
		l.move(c, w, ev.Events&ends != 0)
	}
}

func (c *conn) backlog(w way) *backlog {
	if w == upwards {
		return &c.up.backlog
	}
	return &c.down.backlog
}

// sockets are where a way reads and where it writes.
func (p *poll) sockets(w way) (from, to int) {
	if w == upwards {
		return p.client, p.server
	}
	return p.server, p.client
}

// move carries one way until its source is empty, its target is full, or others
// have their turn. Unless all is set, a short read says that the source is empty.
func (l *loop) move(c *conn, w way, all bool) {
	b := c.backlog(w)
	from, to := c.poll.sockets(w)
	for range loopBurst {
		if b.shut {
			return
		}
		if err := b.flush(to); err != nil {
			l.broken(c, w, err)
			return
		}
		if len(b.rest) > 0 {
			return // goes on when the target can be written to
		}
		if w == downwards && c.down.impaired() && !l.passDelayed(c) {
			return
		}
		n, errno := direct(unix.SYS_READ, from, l.buf)
		if errno == unix.EAGAIN {
			return
		}
		if errno == unix.EINTR {
			continue
		}
		if w == downwards && c.down.impaired() {
			if !l.delay(c, l.buf[:n], errno) || n < len(l.buf) && !all {
				return
			}
			continue
		}
		c.moved()
		switch {
		case errno != 0:
			l.pass(c, w, os.NewSyscallError("read", errno))
			return
		case n == 0:
			l.fin(c, w, to)
			return
		}
		if !l.carry(c, w, l.buf[:n]) || n < len(l.buf) && !all {
			return
		}
	}
	l.again = append(l.again, moved{c, c.poll.slot, w})
}

// carry takes one read along. It reports false where the loop is done with c.
func (l *loop) carry(c *conn, w way, p []byte) bool {
	if w == downwards {
		if err := c.down.carry(p); err != nil {
			l.broken(c, w, err)
			return false
		}
		return true
	}
	if c.up.observe(p) {
		l.give(c, func() { c.reset(); c.conclude() })
		return false
	}
	if err := c.up.put(c.poll.server, p); err != nil {
		l.broken(c, w, err)
		return false
	}
	if c.poll.heads != c.up.heads {
		c.poll.heads = c.up.heads
		if c.watched() {
			l.give(c, c.run)
			return false
		}
	}
	return true
}

// broken is the end of a way whose target takes no more. The way down meets the
// end of a server too, and passes it on.
func (l *loop) broken(c *conn, w way, err error) {
	if w == upwards {
		c.up.shut, c.up.rest = true, nil
		l.settle(c)
		return
	}
	c.down.rest = nil
	l.pass(c, w, err)
}

// fin passes an orderly end on.
func (l *loop) fin(c *conn, w way, to int) {
	unix.Shutdown(to, unix.SHUT_WR)
	c.backlog(w).shut = true
	if w == downwards {
		c.down.forget()
	}
	l.settle(c)
}

// pass hands on an end that was not orderly; that may take a moment.
func (l *loop) pass(c *conn, w way, err error) {
	l.give(c, func() {
		to := c.server
		if w == downwards {
			to = c.client
		}
		c.pass(err, to)
		c.conclude()
	})
}

// settle closes a connection of which both ways have ended.
func (l *loop) settle(c *conn) {
	if c.up.shut && c.down.shut {
		l.shut(c)
	}
}

// put writes p behind what waits already, as far as the socket takes it.
func (b *backlog) put(to int, p []byte) error {
	if len(b.rest) > 0 {
		b.rest = append(b.rest, p...)
		return nil
	}
	n, err := writeSome(to, p)
	if err == nil && n < len(p) {
		b.rest = append(b.rest, p[n:]...)
	}
	return err
}

// flush writes what waits, as far as the socket takes it.
func (b *backlog) flush(to int) error {
	if len(b.rest) == 0 {
		return nil
	}
	n, err := writeSome(to, b.rest)
	if b.rest = b.rest[n:]; len(b.rest) == 0 {
		b.rest = nil
	}
	return err
}

// writeSome writes what the socket takes without waiting, n bytes.
func writeSome(fd int, p []byte) (n int, err error) {
	for n < len(p) {
		k, errno := direct(unix.SYS_WRITE, fd, p[n:])
		n += k
		switch errno {
		case 0, unix.EINTR:
		case unix.EAGAIN:
			return n, nil
		default:
			return n, os.NewSyscallError("write", errno)
		}
	}
	return n, nil
}

// direct is read(2) or write(2) of a socket that never blocks. So the scheduler
// need not know of it, which saves a seventh of the relay's CPU.
func direct(call uintptr, fd int, p []byte) (n int, errno syscall.Errno) {
	r, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}
