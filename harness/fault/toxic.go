package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Toxic is weather on a link: it is attached mid-stream and taken off
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
	return Toxic{Link: link, Toxic: stack.Latency(d, jitter), Gap: (d - jitter) * 4 / 5,
		What: fmt.Sprintf("latency %v ± %v", d, jitter)}
}

// Stall holds everything back, loses nothing, and lets go when it heals. hold is
// how long the scenario means to hold it.
func Stall(link string, hold time.Duration) Toxic {
	return Toxic{Link: link, Toxic: stack.Stall(), Gap: hold / 2, What: fmt.Sprintf("stall of %v", hold)}
}

// Jitter delays every packet by up to twice d, each by another time; their order
// stays.
func Jitter(link string, d time.Duration) Toxic {
	t := stack.Latency(d, d)
	t.Name = "jitter"
	return Toxic{Link: link, Toxic: t, Gap: d * 3 / 4, What: fmt.Sprintf("jitter of ±%v", d)}
}

// Bandwidth narrows the link to rate KB/s. gap is the silence between two events
// that this is sure to make.
func Bandwidth(link string, rate int, gap time.Duration) Toxic {
	return Toxic{Link: link, Toxic: stack.Bandwidth(rate), Gap: gap, What: fmt.Sprintf("bandwidth of %d KB/s", rate)}
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
func (f Toxic) Confirm(seen Seen) Proof { return confirmSilence(seen, f.Gap, "") }

// confirmSilence wants half of the victims that a fault met to have been silent
// for gap while it stood, and most of those beside them not: a machine that stands
// still holds everybody up. A fault of one replica met those that it served; "" is for
// one of all.
func confirmSilence(seen Seen, gap time.Duration, replica string) Proof {
	if seen.Active == record.Never {
		return Proof{Evidence: "never injected"}
	}
	end := seen.Healed
	if end == record.Never {
		end = 1<<63 - 1
	}
	n, open := 0, 0
	silent, others := 0, 0
	var met []uint64
	for s := range seen.streams {
		if s.Headers == record.Never || s.Headers > seen.Active || s.End < seen.Active {
			continue
		}
		quiet := silentWithin(s, seen.Active, end, gap)
		elsewhere := replica != "" && s.Replica != "" && s.Replica != replica
		switch {
		case s.Group == record.Victim && !elsewhere:
			n, open = n+count(quiet), open+1
			if replica != "" && s.Replica != "" {
				met = append(met, s.Seq)
			}
		case s.Group == record.Control, s.Group == record.Victim:
			silent, others = silent+count(quiet), others+1
		}
	}
	p := Proof{OK: n > 0 && 2*n >= open && 2*silent <= others,
		Evidence: fmt.Sprintf("%d of %d open victims were silent for %v or more while it was on, and %d of %d beside them", n,
			open, gap, silent, others), Victims: met}
	switch {
	case p.OK:
	case open == 0:
		p.Settle = noneOpen
	case 2*silent > others:
		p.Evidence += "; the app's own pauses are that long, or a busy machine held up all of them"
		p.Settle = heldUp
	}
	return p
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
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
