//go:build !unix

package origin

import (
	"context"
	"errors"
	"net"
)

func workerNumber() (int, bool) { return 0, false }

func (c *config) work(context.Context, int) (int, error) { return exitUsage, errNoWorkers }

func (c *config) master(context.Context, *net.TCPListener, []string) (int, error) {
	return exitUsage, errNoWorkers
}

var errNoWorkers = errors.New("start workers: only Unix lets processes share a listening socket")
