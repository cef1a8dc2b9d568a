package container

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
)

// Docker tells of an end when it has cleared up; the state says when it was.
func TestEndedAt(t *testing.T) {
	began := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	told := began.Add(20 * time.Second)
	for name, tt := range map[string]struct {
		state *container.State
		want  time.Duration // before told; -1 where the state does not say
	}{
		"told late":             {&container.State{FinishedAt: "2026-11-29T10:00:16.5Z"}, 3500 * time.Millisecond},
		"told at once":          {&container.State{FinishedAt: "2026-11-29T10:00:20Z"}, 0},
		"of the life before":    {&container.State{FinishedAt: "2026-11-29T09:59:59Z"}, -1},
		"of the life after":     {&container.State{FinishedAt: "2026-11-29T10:00:21Z"}, -1},
		"never ended":           {&container.State{FinishedAt: "0001-01-01T00:00:00Z"}, -1},
		"not said":              {&container.State{}, -1},
		"no answer from Docker": {nil, -1},
	} {
		at, ok := endedAt(tt.state, began, time.Time{}, told)
		if ok != (tt.want >= 0) || ok && told.Sub(at) != tt.want {
			t.Errorf("%s: %v before it was told (%v), want %v", name, told.Sub(at), ok, tt.want)
		}
	}
	state := &container.State{FinishedAt: "2026-11-29T10:00:16Z"}
	for after, want := range map[time.Duration]time.Duration{-time.Second: 16 * time.Second, time.Millisecond: 16001 * time.Millisecond,
		4010 * time.Millisecond: 20010 * time.Millisecond, 5 * time.Second: 16 * time.Second} {
		if at, ok := endedAt(state, began, began.Add(16*time.Second+after), told); !ok || at.Sub(began) != want {
			t.Errorf("a signal told %v after the end: ended at %v (%v), want %v", after, at.Sub(began), ok, want)
		}
	}
}

// A stack waits for what Docker has yet to tell of a container, and for nothing else.
func TestAllTold(t *testing.T) {
	began := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	now := began.Add(20 * time.Second)
	sound, ended := life{began: began}, life{began: began, ended: now.Add(-time.Second)}
	memory := func(ago time.Duration) life { return life{began: began, oom: now.Add(-ago)} }
	running, exited := &container.State{Running: true}, &container.State{}
	for name, tt := range map[string]struct {
		state *container.State
		told  life
		gone  bool
		want  bool
	}{
		"runs":                 {running, sound, false, true},
		"ended, told":          {exited, ended, true, true},
		"ended, not told":      {exited, sound, true, false},
		"its process is gone":  {running, sound, true, false},
		"about to start again": {&container.State{Running: true, Restarting: true}, ended, true, false},
		"about to start for a third time": {&container.State{Running: true, Restarting: true},
			life{began: began, ended: now, again: true}, true, true},
		"its next end is not told": {&container.State{Running: true, Restarting: true},
			life{began: began, again: true}, true, false},
		"started again, not told":        {running, ended, false, false},
		"just now without memory":        {running, memory(time.Second), false, false},
		"long since without memory":      {running, memory(endsBy), false, true},
		"without memory, and then ended": {exited, life{began: began, oom: now, ended: now}, true, true},
	} {
		if got := allTold(tt.state, tt.told, tt.gone, now); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
