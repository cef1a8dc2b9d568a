package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fleet"
	generator "github.com/streamproof/streamproof/harness/load"
)

// StartLoadWorker starts our own program once more, to send a share of the load.
func StartLoadWorker() (harness.LoadWorker, error) {
	self, err := os.Executable()
	if err != nil {
		return harness.LoadWorker{}, fmt.Errorf("find our own program: %w", err)
	}
	p, err := fleet.Spawn(self, workerArg)
	if err != nil {
		return harness.LoadWorker{}, err
	}
	return harness.LoadWorker{Conn: p, Pid: p.Pid(), Words: p.Words}, nil
}

// ServeLoadWorker is the whole of a load worker: it talks with its parent over in and out,
// and returns when in ends.
func ServeLoadWorker(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	return fleet.Worker{Version: fleet.Version()}.Serve(ctx, standard{in, out})
}

// ListenAsLoadWorker is [ServeLoadWorker] for a parent that connects to a TCP address
// within limit: what runs in the pods of a fleet.
func ListenAsLoadWorker(ctx context.Context, addr string, limit time.Duration) error {
	return fleet.Worker{Version: fleet.Version()}.Listen(ctx, addr, limit)
}

// loadWorkerMain is a program that is nothing but a load worker. Its result is the exit
// code.
func loadWorkerMain() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(generator.GCPercent)
	}
	if err := ServeLoadWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "load worker: %v\n", err)
		return 3
	}
	return 0
}

// standard are the standard streams as one connection.
type standard struct {
	io.ReadCloser
	out io.WriteCloser
}

func (s standard) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s standard) Close() error                { return errors.Join(s.out.Close(), s.ReadCloser.Close()) }
