package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Weather is a toxic that is on a link from before the first connection to the
// end. Streams of the control group travel beside it.
type Weather struct {
	Link  string
	Toxic stack.Toxic
	What  string // names it for the reader
	Sign  Sign
}

// A Sign is how a stream shows the weather that it went through.
type Sign struct {
	What string // "first event after 500 ms or more"
	On   func(*record.Stream) bool
}

func (f Weather) String() string { return f.What + " on the " + f.Link + " link" }

// Prepare attaches the toxic.
func (f Weather) Prepare(spec *stack.Spec) {
	if spec.Toxics == nil {
		spec.Toxics = map[string][]stack.Toxic{}
	}
	spec.Toxics[f.Link] = append(slices.Clone(spec.Toxics[f.Link]), f.Toxic)
}

// Inject has nothing left to do, but to see that there is such a link.
func (f Weather) Inject(_ context.Context, t Target) error {
	_, err := links(t.Stack, f.Link)
	return err
}

// Heal leaves it: taking a toxic off mid-stream is another fault.
func (f Weather) Heal(context.Context, Target) error { return nil }

// Confirm wants most of the victims to show it, and most of the others not to.
func (f Weather) Confirm(seen Seen) Proof {
	with, victims, without, others := 0, 0, 0, 0
	for s := range seen.streams {
		switch on := f.Sign.On(s); {
		case s.Headers == record.Never:
		case s.Group == record.Victim && on:
			with, victims = with+1, victims+1
		case s.Group == record.Victim:
			victims++
		case s.Group == record.Control && !on:
			without, others = without+1, others+1
		case s.Group == record.Control:
			others++
		}
	}
	return Proof{OK: with > 0 && 2*with > victims && 2*without >= others,
		Evidence: fmt.Sprintf("%s: %d of %d victims, %d of %d others", f.Sign.What, with, victims, others-without, others)}
}

// SlowStart delays what clients send, so that the app sees a request d after its
// connection, and the client its first event no sooner.
func SlowStart(link string, d time.Duration) Weather {
	return Weather{Link: link, What: fmt.Sprintf("requests delayed by %v", d),
		Toxic: stack.Toxic{Name: "slow-start", Type: "latency", Direction: stack.Upstream,
			Attr: map[string]any{"latency": d.Milliseconds()}},
		Sign: Sign{fmt.Sprintf("first event %v or more after the request", d/2), func(s *record.Stream) bool {
			return s.First != record.Never && s.First-s.Send >= d/2
		}}}
}

// Slices cuts what travels to the client into packets of about size bytes.
func Slices(link string, size int) Weather {
	const apart = 100 // µs; packets closer than that would be read as one
	return Weather{Link: link, What: fmt.Sprintf("packets of %d bytes", size),
		Toxic: stack.Toxic{Name: "slicer", Type: "slicer", Direction: stack.Downstream,
			Attr: map[string]any{"average_size": size, "size_variation": size / 4, "delay": apart}},
		Sign: Sign{"more than two reads per event", func(s *record.Stream) bool { return s.Reads > 2*s.Frames }}}
}

// SlowClose lets everything through and holds the end of the connection back
// for d.
func SlowClose(link string, d time.Duration) Weather {
	return Weather{Link: link, What: fmt.Sprintf("end of the connection delayed by %v", d),
		Toxic: stack.Toxic{Name: "slow-close", Type: "slow_close", Direction: stack.Downstream,
			Attr: map[string]any{"delay": d.Milliseconds()}},
		Sign: Sign{fmt.Sprintf("open for %v or more after the terminal", d/2), func(s *record.Stream) bool {
			return s.TerminalAt != record.Never && s.End-s.TerminalAt >= d/2
		}}}
}
