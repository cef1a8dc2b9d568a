package play

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
)

// A playing is a run on a stack in memory, in a bubble with a clock of its own. That
// the bubble ends proves that no goroutine of the run is left.
type playing struct {
	t       *testing.T
	err     error // of Run
	took    time.Duration
	run     *record.Run
	opener  stack.Opener
	memory  *memory.Opener
	options harness.Options
	phases  []string // that were told, each once in a row
}

// perform plays o in a bubble and hands what was recorded to check. With no app it
// plays on our own origin; with no opener in memory.
func perform(t *testing.T, o harness.Options, check func(p *playing), more ...func(p *playing)) {
	t.Helper()
	harnesstest.InMemory(t, func(t *testing.T, m *memory.Opener) {
		p := &playing{t: t, memory: m, opener: m, options: o}
		for _, set := range more {
			set(p)
		}
		p.play(t.Context())
		check(p)
	})
}

// play runs the options.
func (p *playing) play(ctx context.Context) {
	p.t.Helper()
	o := p.options
	o.Opener, o.Dir = p.opener, filepath.Join(p.t.TempDir(), "run")
	if o.Seed == 0 {
		o.Seed = 1
	}
	o.Progress = func(at harness.Progress) {
		if n := len(p.phases); n == 0 || p.phases[n-1] != at.Phase {
			p.phases = append(p.phases, at.Phase)
		}
	}
	begin := time.Now()
	p.err = Run(ctx, o)
	p.took = time.Since(begin)
	var err error
	if p.run, err = record.Open(o.Dir); err != nil {
		p.t.Fatal(err)
	}
}

// A moment is one line of a story. Where times are equal, the rank decides.
type moment struct {
	at   time.Duration
	rank int
	text string
}

// story tells what was recorded, in the order of time: what processes, the fault and
// the stack did, phases of the fault, waves with the number of their streams and how
// long they took, notes.
func (p *playing) story() string {
	var all []moment
	tell := func(at time.Duration, rank int, format string, args ...any) {
		all = append(all, moment{at, rank, fmt.Sprintf(format, args...)})
	}
	for _, e := range p.run.Events {
		rank := 0
		switch {
		case e.Kind == record.KindReady, e.Kind == record.KindClosing && e.Source != record.HarnessSource:
			continue // goes without saying
		case e.Kind == record.KindClosing:
			rank = 4
		}
		tell(e.At, rank, "%s", strings.Join(strings.Fields(fmt.Sprint(e.Source, " ", e.Kind, " ", e.Subject)), " "))
	}
	for _, w := range p.run.Windows {
		tell(w.At, 1, "%s %s", w.Phase, w.Why)
	}
	for _, w := range p.run.Waves {
		tell(w.Begin, 2, "wave of %s at %s: %d of %d streams in %v", w.Group, w.Hop, w.Started, w.Asked, w.End-w.Begin)
	}
	for _, n := range p.run.Notes {
		if n.Kind != record.NoteFact {
			tell(n.At, 3, "note, %s: %s", n.Kind, n.Text)
		}
	}
	tell(p.run.Finished, 5, "the end")
	slices.SortStableFunc(all, func(a, b moment) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank))
	})
	var s strings.Builder
	for i, m := range all {
		if i > 1 && i < len(all)-1 && m.text == all[i-1].text && m.text == all[i+1].text {
			if m.text != all[i-2].text {
				s.WriteString("...\n")
			}
			continue // of many that are alike the first and the last are told
		}
		fmt.Fprintf(&s, "%v %s\n", m.at, strings.TrimSpace(m.text))
	}
	return s.String()
}

// group lists the streams of a group, in the order of their starts.
func (p *playing) group(g record.Group) (all []record.Stream) {
	for _, s := range p.run.Streams {
		if s.Group == g {
			all = append(all, s)
		}
	}
	return all
}

// phase is when a phase was stamped first.
func (p *playing) phase(x record.Phase) time.Duration {
	for _, w := range p.run.Windows {
		if w.Phase == x {
			return w.At
		}
	}
	return record.Never
}

// noted reports whether a note of the kind says so.
func (p *playing) noted(kind record.NoteKind, text string) bool {
	return slices.ContainsFunc(p.run.Notes, func(n record.Note) bool {
		return n.Kind == kind &&
			strings.Contains(n.Text, text)
	})
}
