package play

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// One edge that takes its time holds up those who want the same answer, and nobody
// else; who is told to stop does not wait for it.
func TestEdgesAreAskedOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e edgeProbes
		asked := 0
		slow := func(context.Context) (record.EdgeProbe, error) {
			asked++
			time.Sleep(20 * time.Second)
			return record.EdgeProbe{Edge: "slow"}, nil
		}
		began := time.Now()
		go func() { _, _ = e.answer(t.Context(), "a", slow) }() // ends with its 20 s
		synctest.Wait()

		quick := func(context.Context) (record.EdgeProbe, error) { return record.EdgeProbe{Edge: "quick"}, nil }
		if p, err := e.answer(t.Context(), "b", quick); err != nil || p.Edge != "quick" || time.Since(began) != 0 {
			t.Errorf("another edge: %q, %v after %v", p.Edge, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.answer(ctx, "a", slow); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("told to stop: %v after %v", err, time.Since(began))
		}
		if p, err := e.answer(t.Context(), "a", slow); err != nil || p.Edge != "slow" || time.Since(began) != 20*time.Second {
			t.Errorf("the same edge: %q, %v after %v", p.Edge, err, time.Since(began))
		}
		if asked != 1 {
			t.Errorf("the edge was asked %d times", asked)
		}
	})
}

// What failed may be tried again.
func TestFailedEdgeIsAskedAgain(t *testing.T) {
	var e edgeProbes
	broken := errors.New("no nginx here")
	for _, want := range []error{broken, nil, nil} {
		p, err := e.answer(t.Context(), "a", func(context.Context) (record.EdgeProbe, error) {
			return record.EdgeProbe{Edge: "nginx"}, want
		})
		if !errors.Is(err, want) || p.Edge != "nginx" {
			t.Errorf("%q, %v, want %v", p.Edge, err, want)
		}
	}
}
