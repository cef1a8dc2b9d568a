//go:build unix

package origin

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

// workerEnv tells a copy of the process that it is worker n. The descriptors
// that its master left it are the listening socket and the board.
const (
	workerEnv  = "STREAMPROOF_ORIGIN_WORKER"
	listenerFD = 3
	boardFD    = 4
)

func workerNumber() (int, bool) {
	n, err := strconv.Atoi(os.Getenv(workerEnv))
	return n, err == nil && n >= 0 && n < maxWorkers
}

// work serves as worker n until SIGTERM, or until its master is gone.
func (c *config) work(ctx context.Context, n int) (int, error) {
	listener, shared := os.NewFile(listenerFD, "listener"), os.NewFile(boardFD, "board")
	ln, err := net.FileListener(listener)
	listener.Close()
	if err != nil {
		return exitError, fmt.Errorf("take listening socket: %w", err)
	}
	c.Options.board, err = mapBoard(shared)
	shared.Close()
	if err != nil {
		return exitError, err
	}
	go func() {
		// The master holds the other end of our stdin; without it nobody would
		// ever stop us. Ends with the process.
		io.Copy(io.Discard, os.Stdin)
		os.Exit(exitError)
	}()
	return c.serve(ctx, &fairListener{TCPListener: ln.(*net.TCPListener), board: c.Options.board, self: n})
}
