//go:build linux && (amd64 || arm64)

package tap

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelStamps says that arrivals are stamped by the kernel on this system.
const kernelStamps = true

// stampsOn asks for receive stamps on a TCP socket.
func stampsOn(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// A receiver is one recvmsg(2) with room for a stamp, ready to be repeated. It
// must not be copied after init.
type receiver struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	control [64]byte // one cmsg of 32 bytes; the kernel needs no more
}

func (r *receiver) init() {
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	r.msg.Control = &r.control[0]
}

// recv reads from a non-blocking socket into buf. The stamp is that of the last
// segment that it returned, ns since the epoch, or 0 for none. That of an earlier
// segment is not to be had, by peeking either: the kernel merges segments that
// wait to be read, and keeps the stamp of the last. RawSyscall does
// without the scheduler's bookkeeping, which costs more than the call: it never
// blocks.
func (r *receiver) recv(fd int, buf []byte) (n int, stamp int64, errno syscall.Errno) {
	r.iov.Base = &buf[0]
	r.iov.SetLen(len(buf))
	r.msg.SetControllen(len(r.control))
	r.msg.Flags = 0
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, 0, errno
		}
		return int(n), r.stamp(), 0
	}
}

// stamp reads the control message of SO_TIMESTAMPNS: a header of 16 bytes and a
// struct timespec.
func (r *receiver) stamp() int64 {
	const size = unix.SizeofCmsghdr + int(unsafe.Sizeof(unix.Timespec{}))
	if int(r.msg.Controllen) < size {
		return 0
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.control[0]))
	if h.Level != unix.SOL_SOCKET || h.Type != unix.SCM_TIMESTAMPNS {
		return 0
	}
	ts := (*unix.Timespec)(unsafe.Pointer(&r.control[unix.SizeofCmsghdr]))
	return ts.Sec*1e9 + ts.Nsec
}
