//go:build linux

package strangers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// mergePause lies between two looks at the logs.
const mergePause = 10 * time.Millisecond

// aside is what a service beside the app writes: it has nothing to do with its streams.
var aside = []string{"1:M * Background saving started by pid 27", "27:C * DB saved on disk",
	"1:M # Connection with replica 10.0.0.7:6379 lost.", "1:M # WARNING: timeout of a client, reset",
	"Traceback (most recent call last):", `  File "/srv/sync.py", line 3, in run`, "ValueError: nothing to sync"}

// merge writes what logs gain into one file, as docker compose logs -f does, beside the
// lines of a database, until it is stopped.
func merge(ctx context.Context, logs map[string]string, to string) (stop func() error, err error) {
	out, err := os.Create(to)
	if err != nil {
		return nil, err
	}
	services := []*service{{name: "redis-1"}}
	for kind, path := range logs {
		s := &service{name: "edge-1"}
		if kind == "app" {
			s.name = "app-1"
		}
		s.path = path
		services = append(services, s)
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			for _, s := range services {
				switch {
				case s.path != "":
					s.read()
				case n%25 == 0:
					s.have = append(append(s.have, aside[n/25%len(aside)]...), '\n')
				}
				s.pass(out)
			}
			time.Sleep(mergePause)
		}
	})
	return func() error {
		cancel()
		wait.Wait()
		for _, s := range services {
			if s.in != nil {
				s.in.Close()
			}
		}
		return out.Close()
	}, nil
}

// A service writes a log.
type service struct {
	name string
	path string // "" for the database
	in   *os.File
	have []byte // of a line that has no end yet
}

// read takes what the log has gained. Some write theirs with the first request.
func (s *service) read() {
	if s.in == nil {
		var err error
		if s.in, err = os.Open(s.path); err != nil {
			s.in = nil
			return
		}
	}
	if more, err := io.ReadAll(s.in); err == nil {
		s.have = append(s.have, more...)
	}
}

// pass writes the whole lines.
func (s *service) pass(out io.Writer) {
	for {
		line, rest, ok := bytes.Cut(s.have, []byte("\n"))
		if !ok {
			return
		}
		fmt.Fprintf(out, "%-7s  | %s\n", s.name, line)
		s.have = rest
	}
}
