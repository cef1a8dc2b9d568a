package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Logs are those of the pods, each followed from where the stack was opened until the
// container ends; the next container of a pod goes on in the same file.
type logs struct {
	s      *Stack
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu    sync.Mutex // guards what follows
	named []string
	err   error // that a file could not be written
}

func newLogs(s *Stack) *logs {
	l := &logs{s: s}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// follow begins to copy the log of the container that has just begun to run in a pod. A
// login that may not read logs does without them.
func (l *logs) follow(number int, pod string) {
	name := fmt.Sprintf("app.%d.log", number)
	l.mu.Lock()
	again := slices.Contains(l.named, name)
	if !again {
		l.named = append(l.named, name)
	}
	l.mu.Unlock()
	query := url.Values{"follow": {"true"}, "container": {l.s.container}}
	if !again {
		query.Set("sinceSeconds", "1")
	}
	l.all.Go(func() { // ends with the container, or with l.ctx
		res, err := l.s.client.do(l.ctx, http.MethodGet, l.s.client.in("v1", "pods", pod, "log"), query, "", nil)
		if err != nil {
			return
		}
		defer res.Body.Close()
		out, err := os.OpenFile(filepath.Join(l.s.spec.LogDir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = io.Copy(out, res.Body)
			var path *os.PathError
			if !errors.As(err, &path) { // what broke off on the way is complete enough
				err = nil
			}
			err = errors.Join(err, out.Close())
		}
		l.mu.Lock()
		l.err = errors.Join(l.err, err)
		l.mu.Unlock()
	})
}

func (l *logs) files() (list []stack.Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range l.named {
		list = append(list, stack.Log{Name: name, Kind: record.AppLog})
	}
	return list
}

func (l *logs) close() error {
	l.cancel()
	l.all.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
