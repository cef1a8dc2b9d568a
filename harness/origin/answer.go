package origin

import (
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An Answer is what one request asks for. The zero value is not useful, see
// [DefaultAnswer].
type Answer struct {
	Events    int           // content events
	Gap       time.Duration // between events
	Size      int           // bytes of text per event
	Pause     time.Duration // further silence after event PauseAt
	PauseAt   int           // 0 means after half of the events
	Heartbeat time.Duration // between comments while silent; 0 for none
	Format    string        // a name of [Formats]
	Stream    bool          // false sends the same text in one piece
	Sabotage  string        // a name of [Sabotages], or empty
	At        int           // event at which the sabotage strikes; 0 means half of the events
	Delay     time.Duration // how long a sabotage that only delays does so
}

// DefaultAnswer is the answer to a request without parameters.
var DefaultAnswer = Answer{Events: 20, Gap: 50 * time.Millisecond, Size: 32, Heartbeat: time.Second,
	Format: "sse", Stream: true, Delay: 4 * time.Second}

// Bounds keep one request from taking the whole machine.
const (
	maxEvents = 10_000_000
	maxSize   = 16 << 20 // bytes
	maxWhole  = 64 << 20 // bytes of an answer that is built in memory
	maxNonce  = 256      // bytes
)

// flags defines one flag per field; the values of a are the defaults.
func (a *Answer) flags(fs *flag.FlagSet) {
	fs.IntVar(&a.Events, "events", a.Events, "content events per stream")
	fs.DurationVar(&a.Gap, "gap", a.Gap, "time between events")
	fs.IntVar(&a.Size, "size", a.Size, "bytes of text per event")
	fs.DurationVar(&a.Pause, "pause", a.Pause, "further silence after one event")
	fs.IntVar(&a.PauseAt, "pause-at", a.PauseAt, "the event before the silence; 0 means half of the events")
	fs.DurationVar(&a.Heartbeat, "heartbeat", a.Heartbeat, "time between heartbeats while silent; 0 for none")
	fs.StringVar(&a.Format, "format", a.Format, strings.Join(Formats(), ", "))
	fs.BoolVar(&a.Stream, "stream", a.Stream, "false sends the same text in one piece")
	fs.StringVar(&a.Sabotage, "sabotage", a.Sabotage, "break streams in this way")
	fs.IntVar(&a.At, "at", a.At, "event at which a sabotage strikes; 0 means half of the events")
	fs.DurationVar(&a.Delay, "delay", a.Delay, "how long a sabotage that only delays does so")
}

// with returns a as overridden by query parameters. A parameter that we do not
// know is an error: misspelt, it would prove nothing.
func (a Answer) with(q url.Values) (Answer, error) {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	a.flags(fs)
	for key, values := range q {
		name := strings.ReplaceAll(key, "_", "-")
		if fs.Lookup(name) == nil {
			return a, fmt.Errorf("read query: unknown parameter %q", key)
		}
		if err := fs.Set(name, values[len(values)-1]); err != nil {
			return a, fmt.Errorf("read query parameter %s=%q: %w", key, values[len(values)-1], err)
		}
	}
	return a, a.check()
}

// check refuses what cannot be answered.
func (a *Answer) check() error {
	switch {
	case a.Events < 1 || a.Events > maxEvents:
		return fmt.Errorf("check answer: events is %d, must be 1 to %d", a.Events, maxEvents)
	case a.Size < 1 || a.Size > maxSize:
		return fmt.Errorf("check answer: size is %d, must be 1 to %d", a.Size, maxSize)
	case a.Gap < 0 || a.Pause < 0 || a.Heartbeat < 0 || a.Delay < 0:
		return fmt.Errorf("check answer: a duration is negative")
	case a.PauseAt < 0 || a.PauseAt > a.Events || a.At < 0 || a.At > a.Events:
		return fmt.Errorf("check answer: pause-at and at must be 0 to %d", a.Events)
	case (!a.Stream || a.Sabotage == "buffering") && a.Events*a.Size > maxWhole:
		return fmt.Errorf("check answer: %d bytes in one piece, at most %d are possible", a.Events*a.Size, maxWhole)
	case a.Sabotage == "reordered-events" && a.Events < 2:
		return fmt.Errorf("check answer: reordered-events needs two events")
	case !slices.Contains(Formats(), a.Format):
		return fmt.Errorf("check answer: unknown format %q (known: %s)", a.Format, strings.Join(Formats(), ", "))
	case a.Sabotage != "" && sabotage(a.Sabotage) == nil:
		return fmt.Errorf("check answer: unknown sabotage %q (known: %s)", a.Sabotage, strings.Join(sabotageNames(), ", "))
	}
	return nil
}

// at is the event that the sabotage strikes, from 1.
func (a *Answer) at() int {
	if a.Sabotage == "reordered-events" {
		return min(orHalf(a.At, a.Events), a.Events-1)
	}
	return orHalf(a.At, a.Events)
}

// pauseAt is the event before the silence, from 1.
func (a *Answer) pauseAt() int { return orHalf(a.PauseAt, a.Events) }

func orHalf(n, of int) int {
	if n == 0 {
		return max(1, of/2)
	}
	return n
}
