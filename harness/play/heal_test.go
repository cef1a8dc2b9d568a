package play

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
)

// A sluggish app takes long to start again.
type sluggish struct {
	replicated
	takes time.Duration
	err   error // of the last start
}

func (*sluggish) Stop(context.Context, string, time.Duration) error { return nil }

func (s *sluggish) Start(ctx context.Context, _ string) error {
	select {
	case <-time.After(s.takes):
		s.err = nil
	case <-ctx.Done():
		s.err = ctx.Err()
	}
	return nil // what heal would note is not the matter of this test
}

// A replica that was stopped is given the time to start that its app may take, unless
// somebody has broken off the run.
func TestHealWaitsForTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		fault     fault.Fault
		start     time.Duration // that the user allows
		takes     time.Duration
		interrupt bool
		up        bool
		within    time.Duration
	}{
		"as long as all apps may":       {fault.Drain{}, 0, 45 * time.Second, false, true, 45 * time.Second},
		"as long as this one may":       {fault.Drain{}, 10 * time.Minute, 9 * time.Minute, false, true, 9 * time.Minute},
		"a part of several":             {fault.All{fault.Watch{}, fault.Drain{}}, time.Minute, time.Minute, false, true, time.Minute},
		"too long":                      {fault.Drain{}, time.Minute, time.Hour, false, false, time.Minute + healLimit},
		"broken off, and it takes long": {fault.Drain{}, 10 * time.Minute, 9 * time.Minute, true, false, healLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.interrupt {
					cancel()
				}
				app := &sluggish{replicated: replicated{[]stack.Replica{{Name: "app[0]"}}}, takes: c.takes}
				r := &run{Plan: &harness.Plan{Options: harness.Options{App: harness.App{Start: c.start}}}}
				f := newInjection(scope{r, harness.Scenario{Fault: c.fault}}, app, func(int) int { return 0 })
				began := time.Now()
				f.heal(ctx)
				if took := time.Since(began); (app.err == nil) != c.up || took != c.within {
					t.Errorf("the start ended with %v after %v, want %v", app.err, took, c.within)
				}
			})
		})
	}
}
