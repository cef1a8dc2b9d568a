package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// busy takes streams that were slow or silent while our own fault or the machine
// kept the app from running: whatever else was wrong with them cannot be told
// from that.
type busy struct{}

func (busy) match(v *view) []*finding {
	type excused struct {
		why verdict.Excuse
		gs  []*verdict.Graded
	}
	var pressed, starved excused
	for _, g := range v.open {
		x, ok := v.Excuse(g)
		switch {
		case !ok:
		case x.Pressed != "":
			pressed = excused{x, append(pressed.gs, g)}
		default:
			starved = excused{x, append(starved.gs, g)}
		}
	}
	var fs []*finding
	if n := len(pressed.gs); n > 0 {
		f := found(InjectedFault+": memory pressure", layerHarness, certain, pressed.gs).
			tell(record.Fact{Kind: FactSlowPressed, N: n, About: []record.Fact{pressed.why.Fact()}}).
			see(sayWorst(pressed.gs)).
			mend(fact{Kind: MendMorePressed})
		f.Injected = true
		fs = append(fs, f)
	}
	if n := len(starved.gs); n > 0 {
		f := found(BusyMachine, layerHarness, likely, starved.gs).
			tell(record.Fact{Kind: FactSlowStarved, N: n, About: []record.Fact{starved.why.Fact()}}).
			see(sayWorst(starved.gs)).
			mend(fact{Kind: MendQuiet}).settle(v.rerun("--streams 5"))
		for _, name := range v.onQuietMachine(starved.gs) {
			f.or(name, fact{Kind: MayBeSo})
		}
		fs = append(fs, f)
	}
	return fs
}

// onQuietMachine is how streams that were slow or silent would be called if the machine
// had been idle, the likeliest first: a busy machine excuses the app, and does not
// acquit it.
func (v *view) onQuietMachine(gs []*verdict.Graded) (names []string) {
	open := v.open
	defer func() { v.open = open }()
	v.open = slices.Clone(gs)
	for _, r := range []rule{waiting{}, blockedLoop{}, threadPool{}, queue{}, stalled{}, slow{}} {
		for _, f := range r.match(v) {
			names = append(names, f.Names()...)
			v.explain(f)
		}
	}
	return names
}

// sayWorst shows the longest silence.
func sayWorst(gs []*verdict.Graded) record.Fact {
	worst := gs[0]
	for _, g := range gs {
		if g.MaxGap > worst.MaxGap {
			worst = g
		}
	}
	return say(worst)
}
