package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Toxic is weather on a link: it is attached in mid-stream and taken off
// again.
type Toxic struct {
	Link  string // stack.EdgeLink or stack.UpstreamLink
	Toxic stack.Toxic
	// Gap is the silence that the toxic must show in its victims' arrivals to be
	// believed, beyond what the streams have anyway.
	Gap time.Duration
	// What names it for the reader.
	What string
}

// Latency delays what travels to the client by d, give or take jitter. The
// streams pause once, for d, and go on with their old gaps.
func Latency(link string, d, jitter time.Duration) Toxic {
	return Toxic{Link: link, Toxic: stack.Latency(d, jitter), Gap: (d - jitter) / 2,
		What: fmt.Sprintf("latency %v ± %v", d, jitter)}
}

// Stall holds everything back, loses nothing, and lets go when it heals. hold is
// how long the scenario means to hold it.
func Stall(link string, hold time.Duration) Toxic {
	return Toxic{Link: link, Toxic: stack.Stall(), Gap: hold / 2, What: fmt.Sprintf("stall of %v", hold)}
}

func (f Toxic) String() string { return f.What + " on the " + f.Link + " link" }

// Inject attaches the toxic to every link that the name means.
func (f Toxic) Inject(ctx context.Context, t Target) error {
	return onLinks(ctx, t.Stack, f.Link, func(ctx context.Context, l stack.Link) error {
		return l.Add(ctx, f.Toxic)
	})
}

// Heal takes it off.
func (f Toxic) Heal(ctx context.Context, t Target) error {
	return onLinks(ctx, t.Stack, f.Link, func(ctx context.Context, l stack.Link) error {
		return l.Remove(ctx, f.Toxic.Name)
	})
}

// Confirm looks for victims that were silent for Gap while the toxic was on.
func (f Toxic) Confirm(seen Seen) Proof { return confirmSilence(seen, f.Gap) }

// confirmSilence wants half of the victims that a fault met to have been silent
// for gap while it stood.
func confirmSilence(seen Seen, gap time.Duration) Proof {
	if seen.Active == record.Never {
		return Proof{Evidence: "never injected"}
	}
	end := seen.Healed
	if end == record.Never {
		end = 1<<63 - 1
	}
	n, open := 0, 0
	for _, s := range seen.victims() {
		if s.Headers == record.Never || s.Headers > seen.Active || s.End < seen.Active {
			continue
		}
		open++
		if silentWithin(s, seen.Active, end, gap) {
			n++
		}
	}
	return Proof{OK: n > 0 && 2*n >= open,
		Evidence: fmt.Sprintf("%d of %d open victims were silent for %v or more while it was on", n, open, gap)}
}

// silentWithin reports whether s had no arrival for at least gap in a silence
// that touches [from, to].
func silentWithin(s *record.Stream, from, to, gap time.Duration) bool {
	last := s.Headers
	for m := range s.Marks() {
		if touches(last, m.At, from, to, gap) {
			return true
		}
		last = m.At
	}
	return s.End != record.Never && touches(last, s.End, from, to, gap)
}

func touches(a, b, from, to, gap time.Duration) bool {
	return b-a >= gap && b > from && a < to
}
