package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Greeting is what a worker that listens says first. Where others carry the connection, as
// the port-forward of Kubernetes does, it is the only sign that the worker is at its end.
const Greeting = "streamproof load worker\n"

// Listen serves the first parent that connects to a TCP address, see [Worker.Serve], and
// is done with it. It is an error if none comes in time: a worker that nobody wants any
// more must not stay.
func (w Worker) Listen(ctx context.Context, addr string, limit time.Duration) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the parent: %w", err)
	}
	return w.serveOne(ctx, l, limit)
}

func (w Worker) serveOne(ctx context.Context, l net.Listener, limit time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	release := context.AfterFunc(waiting, func() { l.Close() })
	conn, err := l.Accept()
	stopped := !release()
	if err == nil && stopped {
		err = conn.Close()
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case stopped:
		return errors.Join(fmt.Errorf("no parent came within %v", limit), err)
	case err != nil:
		return errors.Join(fmt.Errorf("wait for the parent: %w", err), l.Close())
	}
	if err := l.Close(); err != nil {
		return errors.Join(err, conn.Close())
	}
	if _, err := io.WriteString(conn, Greeting); err != nil {
		return errors.Join(fmt.Errorf("greet the parent: %w", err), conn.Close())
	}
	return w.Serve(ctx, conn)
}

// ReadGreeting reads what a worker that listens says first.
func ReadGreeting(r io.Reader) error {
	said := make([]byte, len(Greeting))
	if _, err := io.ReadFull(r, said); err != nil {
		return fmt.Errorf("no load worker answers: %w", err)
	}
	if string(said) != Greeting {
		return fmt.Errorf("no load worker answers: %q came", said)
	}
	return nil
}
