package container

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/streamproof/streamproof/harness/stack"
)

// No part ends itself while the run needs it: not in a night of ten hours, and not before two hours are over.
func TestLifeFollowsTheRun(t *testing.T) {
	for lasts, least := range map[time.Duration]time.Duration{0: DefaultLife, time.Minute: DefaultLife,
		10 * time.Hour: 12 * time.Hour} {
		life := New(Options{}).life(&stack.Spec{Lasts: lasts, App: stack.App{Start: time.Minute}})
		if life < least || life > least+time.Hour {
			t.Errorf("of a run of %v: %v, want a little more than %v", lasts, life, least)
		}
		var c container.Config
		form{}.config(&c, life)
		if c.Healthcheck.Interval != life {
			t.Errorf("of a run of %v a container ends after %v, want %v", lasts, c.Healthcheck.Interval, life)
		}
	}
}
