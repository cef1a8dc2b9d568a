package tap_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/tap"
)

// TestWatchTellsChangesAlone: at the time of each, and at no other.
func TestWatchTellsChangesAlone(t *testing.T) {
	says := []spoken{{second, chunkedHead}, {2 * second, chunk(": ping\n\n")}}
	says = append(says, from(2*second, every(second, 5, chunk(event(1))))...)
	says = append(says, spoken{9 * second, chunk(done) + lastChunk})
	for _, c := range []struct {
		name string
		asks tap.Interest
		late time.Duration // when the watch begins
		want []string
	}{
		{name: "begin, head and end", want: []string{"0s: in flight", "1s: in body", "9s: over with 7"}},
		{name: "an event", asks: tap.Interest{Events: 3},
			want: []string{"0s: in flight", "1s: in body", "4s: in body with 3", "9s: over with 7"}},
		{name: "heartbeats", asks: tap.Interest{Heartbeats: true},
			want: []string{"0s: in flight", "1s: in body", "2s: in body with 1", "9s: over with 7"}},
		{name: "what was there before", late: 5*second + second/2, asks: tap.Interest{Events: 3},
			want: []string{"5.5s: in body with 4", "9s: over with 7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tap.Options{Mode: tap.Conn})
				var speakers sync.WaitGroup
				defer speakers.Wait()
				tap.SetDial(r.Tap, speaker(&speakers, 0, says))
				d, ask := generic(t)
				start, over := time.Now(), make(chan struct{})
				go func() { // ends with the stream
					time.Sleep(time.Nanosecond) // the watch of the others comes first
					r.get(tap.Job{URL: "http://speaker.invalid", Dialect: d, Ask: ask})
					close(over)
				}()
				time.Sleep(c.late)
				got := told(r.Watch(c.asks), start, over)
				if !slices.Equal(got, c.want) {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

// told lists what w tells until over is closed.
func told(w *tap.Watch, start time.Time, over <-chan struct{}) (said []string) {
	defer w.Stop()
	for {
		synctest.Wait() // what happens at one time is one change
		w.Changed(func(l tap.Live) bool {
			text := fmt.Sprintf("%v: %s", time.Since(start).Truncate(10*time.Millisecond), place(l))
			if len(said) == 0 || said[len(said)-1] != text {
				said = append(said, text)
			}
			return true
		})
		select {
		case <-w.C:
		case <-over:
			return said
		}
	}
}

func place(l tap.Live) string {
	where := "in flight"
	switch {
	case l.Over:
		where = "over"
	case l.InBody:
		where = "in body"
	}
	if l.Events > 0 {
		where += fmt.Sprintf(" with %d", l.Events)
	}
	return where
}

// TestWatchMissesNothing counts a crowd by its changes, while watches come and go:
// each ends with what there is.
func TestWatchMissesNothing(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		const streams, watches = 60, 20
		s := serve(t, always(say(chunkedHead+chunk(event(1))), say(chunk(event(2))), say(chunk(event(3))), hold))
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		var watching sync.WaitGroup
		var sender sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		defer sender.Wait()
		defer cancel()
		for i := range streams {
			sender.Go(func() { r.send(ctx, uint64(i), tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask}) })
			if i%(streams/watches) != 0 {
				continue
			}
			watching.Go(func() { // ends when it has seen all streams at event 3
				w := r.Watch(tap.Interest{Events: 3})
				defer w.Stop()
				there := map[uint64]bool{}
				for len(there) < streams {
					select {
					case <-w.C:
					case <-time.After(20 * time.Second):
						t.Errorf("watch from stream %d on: told of %d of %d streams at event 3", i, len(there), streams)
						return
					}
					w.Changed(func(l tap.Live) bool {
						if l.Events >= 3 {
							there[l.Seq] = true
						}
						return true
					})
				}
			})
		}
		watching.Wait()
	})
}
