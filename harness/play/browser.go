package play

import (
	"context"
	"net/http"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// browserEncoding is what browsers ask for. A layer that compresses, and holds
// events in its window, does so only to clients that ask: without such a stream it
// would look live.
const browserEncoding = "gzip, deflate, br, zstd"

// browse sends one stream beside the load that asks for compression as a browser
// does, where the scenario looks at pacing. Where its own streams ask for it, that
// stream asks for none, to be compared with. The function that is returned waits
// for its end.
func (s *sender) browse(ctx context.Context, h stack.Hop) (wait func() error) {
	paced := s.sc.Peel || s.sc.Policy.Expect == record.ExpectPaced
	if !paced {
		return func() error { return nil }
	}
	ask := browserEncoding
	if s.Headers(s.sc).Get("Accept-Encoding") != "" {
		ask = verdict.Identity
	}
	w := s.wave(1, nil)
	t := s.lane(record.Browser, s.Target(s.sc))
	t.Hop, t.URL, t.Dial = h.Name, h.URL+s.Target(s.sc), h.Dial
	t.Header = http.Header{"Accept-Encoding": {ask}}
	w.Assign = func(uint64) load.Target { return t }
	done := make(chan error, 1)
	go func() { // ends with its stream
		_, err := s.drive(ctx, w)
		done <- err
	}()
	return func() error { return <-done }
}
