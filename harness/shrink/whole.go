package shrink

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/fault"
)

// A Kind is what a part is.
type Kind string

// The kinds of parts.
const (
	KindScenario Kind = "scenario" // one that did not fail in this way
	KindFault    Kind = "fault"    // one of a scenario's
	KindClient   Kind = "client"   // the ways of a scenario's clients
	KindLoad     Kind = "load"     // stages, rate, arrivals and duration: without them each stream is sent once
)

// A Part is something that can be left out.
type Part struct {
	Kind     Kind   `json:"kind"`
	Scenario string `json:"scenario,omitempty"`
	Name     string `json:"name,omitempty"` // of a fault, as plans name it

	scenario, leaf int
}

// A Number is something that can be less.
type Number struct {
	Name        string // key of streamproof.yaml
	Least, Most float64
	Whole       bool
	Streams     bool // counts streams

	set  func(o *harness.Options, x float64)
	load bool // goes away with the shape of the load
	of   int  // scenario that it belongs to; -1 for all
}

// A Whole is a run that can be made smaller.
type Whole struct {
	Parts   []Part
	Numbers []Number

	options harness.Options
	target  int // scenario that failed
}

// A Case is what is kept of a whole.
type Case struct {
	Kept   []bool    // by part
	Values []float64 // by number
}

func (c Case) with(i int, x float64) Case {
	c.Values = slices.Clone(c.Values)
	c.Values[i] = x
	return c
}

func (c Case) key() string { return fmt.Sprint(c.Kept, c.Values) }

// NewWhole lists what options consist of, where a scenario is the one that failed. The
// load is that of this scenario in all.
func NewWhole(o harness.Options, scenario string) *Whole {
	o.Scenarios = slices.Clone(o.Scenarios)
	w := &Whole{target: slices.IndexFunc(o.Scenarios, func(s harness.Scenario) bool { return s.ID == scenario })}
	o.Load = o.Load.Over(o.Scenarios[w.target].Load)
	if !o.Load.Open() && len(o.Load.Stages) == 0 {
		o.Load.Streams = o.Load.Concurrent()
	}
	for i := range o.Scenarios {
		o.Scenarios[i].Load = harness.Load{}
	}
	w.options = o
	for i, s := range o.Scenarios {
		if i != w.target {
			w.Parts = append(w.Parts, Part{Kind: KindScenario, Scenario: s.ID, scenario: i})
		}
	}
	for i, s := range o.Scenarios {
		for j, p := range leaves(s.Fault) {
			w.Parts = append(w.Parts, Part{Kind: KindFault, Scenario: s.ID, Name: p.String(), scenario: i, leaf: j})
		}
		if s.Client.Own() {
			w.Parts = append(w.Parts, Part{Kind: KindClient, Scenario: s.ID, scenario: i})
		}
	}
	if o.Load.Open() || len(o.Load.Stages) > 0 || o.Load.Duration > 0 || o.Load.Total > 0 {
		w.Parts = append(w.Parts, Part{Kind: KindLoad})
	}
	w.count()
	return w
}

// count lists the numbers.
func (w *Whole) count() {
	l, s := w.options.Load, w.options.Scenarios[w.target]
	add := func(n Number) {
		if n.Most > n.Least {
			w.Numbers = append(w.Numbers, n)
		}
	}
	add(Number{Name: "load.total", Least: 1, Most: float64(l.Total), Whole: true, Streams: true, load: true, of: -1,
		set: func(o *harness.Options, x float64) { o.Load.Total = int(x) }})
	if l.Rate > 0 {
		add(Number{Name: "load.rate", Least: l.Rate / 64, Most: l.Rate, Streams: true, load: true, of: -1,
			set: func(o *harness.Options, x float64) { o.Load.Rate = x }})
	}
	add(Number{Name: "load.streams", Least: 1, Most: float64(w.streams()), Whole: true, Streams: true, of: -1,
		set: func(o *harness.Options, x float64) {
			if !o.Load.Open() && len(o.Load.Stages) == 0 {
				o.Load.Streams = int(x)
			}
		}})
	shorter := func(name string, of int, d time.Duration, load bool, set func(*harness.Options, time.Duration)) {
		add(Number{Name: name, Least: d.Seconds() / 32, Most: d.Seconds(), of: of, load: load,
			set: func(o *harness.Options, x float64) {
				set(o, max(time.Duration(x*float64(time.Second)).Round(time.Millisecond), time.Millisecond))
			}})
	}
	shorter("load.duration", -1, l.Duration, true, func(o *harness.Options, d time.Duration) { o.Load.Duration = d })
	i := w.target
	if w.asked() {
		add(Number{Name: "shape.events", Least: 1, Most: float64(events(s.Shape)), Whole: true, of: i,
			set: func(o *harness.Options, x float64) { o.Scenarios[i].Shape.Events = int(x) }})
	}
	if s.Fault != nil {
		shorter("hold", i, s.Hold, false, func(o *harness.Options, d time.Duration) { o.Scenarios[i].Hold = d })
	}
	shorter("shape.pause", i, s.Shape.Pause, false, func(o *harness.Options, d time.Duration) {
		o.Scenarios[i].Shape.Pause = d
	})
}

// events is how many events are asked for.
func events(s harness.Shape) int {
	if s.Events == 0 {
		return 20
	}
	return s.Events
}

// most is how many streams an open load becomes where each is sent once.
const most = 200

// streams is how many streams a load has at a time where each is sent once.
func (w *Whole) streams() int {
	l := w.options.Load
	switch {
	case l.Arrivals.Kind == arrivals.Trace:
		return min(most, len(l.Requests.Entries))
	case l.Rated():
		return min(most, max(1, int(math.Round(arrivals.Expected(l.Rate, l.Stages)))))
	case l.Rate > 0 && l.Total > 0:
		return min(most, l.Total)
	case l.Rate > 0:
		return min(most, max(1, int(math.Round(l.Rate*l.Duration.Seconds()))))
	case l.Total > 0:
		return min(l.Total, l.Concurrent())
	}
	return l.Concurrent()
}

// Case is the whole of it.
func (w *Whole) Case() Case {
	c := Case{Kept: make([]bool, len(w.Parts))}
	for i := range c.Kept {
		c.Kept[i] = true
	}
	for _, n := range w.Numbers {
		c.Values = append(c.Values, n.Most)
	}
	return c
}

// left lists the parts that a case leaves out. Of a scenario that is left out as a
// whole, its faults and clients are not named.
func (w *Whole) left(c Case) (out []Part) {
	for i, p := range w.Parts {
		if !c.Kept[i] && (p.Kind == KindScenario || p.Kind == KindLoad || w.plays(c, p.scenario)) {
			out = append(out, p)
		}
	}
	return out
}

// plays reports whether a case keeps a scenario.
func (w *Whole) plays(c Case, scenario int) bool {
	for i, p := range w.Parts {
		if p.Kind == KindScenario && p.scenario == scenario {
			return c.Kept[i]
		}
	}
	return true
}

// matters reports whether number i does anything in a case.
func (w *Whole) matters(c Case, i int) bool {
	n, shaped := w.Numbers[i], w.shaped(c)
	open := w.options.Load.Open() || len(w.options.Load.Stages) > 0
	switch {
	case n.load:
		return shaped
	case n.Name == "load.streams":
		return !shaped || !open
	case n.Name == "hold":
		return slices.ContainsFunc(w.Build(c).Scenarios, func(s harness.Scenario) bool {
			return s.ID == w.options.Scenarios[w.target].ID && s.Fault != nil
		})
	}
	return true
}

// shaped reports whether a case keeps the shape of the load.
func (w *Whole) shaped(c Case) bool {
	for i, p := range w.Parts {
		if p.Kind == KindLoad {
			return c.Kept[i]
		}
	}
	return false
}

// Build makes the options of a case.
func (w *Whole) Build(c Case) harness.Options {
	o := w.options
	o.Scenarios = slices.Clone(o.Scenarios)
	gone := make([]bool, len(o.Scenarios))
	faults := make([][]bool, len(o.Scenarios))
	for i := range faults {
		faults[i] = make([]bool, len(leaves(o.Scenarios[i].Fault)))
	}
	for i, p := range w.Parts {
		switch {
		case p.Kind == KindFault:
			faults[p.scenario][p.leaf] = c.Kept[i]
		case c.Kept[i]:
		case p.Kind == KindScenario:
			gone[p.scenario] = true
		case p.Kind == KindClient:
			o.Scenarios[p.scenario].Client = harness.Client{}
		case p.Kind == KindLoad:
			o.Load = harness.Load{Streams: w.streams(), Ramp: o.Load.Ramp, Together: o.Load.Together,
				Pattern: harness.Pattern{Prompts: o.Load.Prompts, Requests: o.Load.Requests,
					Sessions: o.Load.Sessions}}
		}
	}
	for i, n := range w.Numbers {
		if x := c.Values[i]; x != n.Most && (!n.load || w.shaped(c)) {
			n.set(&o, x)
		}
	}
	for i := range o.Scenarios {
		s := &o.Scenarios[i]
		s.Fault = keep(s.Fault, faults[i], s.Hold)
		if s.Fault == nil && len(faults[i]) > 0 {
			s.When, s.Until, s.Hold, s.Share = harness.When{}, harness.When{}, 0, 0
		}
	}
	var played []harness.Scenario
	for i, s := range o.Scenarios {
		if !gone[i] {
			played = append(played, s)
		}
	}
	o.Scenarios = played
	return o
}

// leaves are the single faults of which one consists. Strikes that are dealt out count
// each.
func leaves(f fault.Fault) (all []fault.Fault) {
	if f == nil {
		return nil
	}
	for _, p := range fault.Parts(f) {
		if strikes, ok := p.Fault.(fault.Strikes); ok {
			for _, s := range strikes {
				all = append(all, s)
			}
			continue
		}
		all = append(all, p.Fault)
	}
	return all
}

// keep is f without the leaves that are not kept, nil where none is. Faults that know how
// long they are held learn it anew.
func keep(f fault.Fault, kept []bool, hold time.Duration) fault.Fault {
	made, _ := keepFrom(f, kept, hold)
	return made
}

func keepFrom(f fault.Fault, kept []bool, hold time.Duration) (fault.Fault, []bool) {
	members := func(list []fault.Fault) (left []fault.Fault) {
		for _, m := range list {
			var made fault.Fault
			if made, kept = keepFrom(m, kept, hold); made != nil {
				left = append(left, made)
			}
		}
		return left
	}
	switch f := f.(type) {
	case nil:
		return nil, kept
	case fault.Timed:
		inner, rest := keepFrom(f.Fault, kept, shorterOf(f.Hold, hold))
		if inner == nil {
			return nil, rest
		}
		f.Fault = inner
		return f, rest
	case fault.All:
		return group(members(f), func(l []fault.Fault) fault.Fault { return fault.All(l) }), kept
	case fault.Sequence:
		return group(members(f), func(l []fault.Fault) fault.Fault { return fault.Sequence(l) }), kept
	case fault.Strikes:
		var left fault.Strikes
		for i, s := range f {
			if kept[i] {
				left = append(left, s)
			}
		}
		rest := kept[len(f):]
		switch len(left) {
		case 0:
			return nil, rest
		case 1:
			return left[0], rest
		}
		return left, rest
	}
	if !kept[0] {
		return nil, kept[1:]
	}
	return held(f, hold), kept[1:]
}

func shorterOf(own, hold time.Duration) time.Duration {
	if own > 0 {
		return own
	}
	return hold
}

// group is what is left of several faults: none, one, or a group of them.
func group(left []fault.Fault, of func([]fault.Fault) fault.Fault) fault.Fault {
	switch len(left) {
	case 0:
		return nil
	case 1:
		return left[0]
	}
	return of(left)
}

// held is a fault that is held for hold, where it was made for longer.
func held(f fault.Fault, hold time.Duration) fault.Fault {
	switch f := f.(type) {
	case fault.Pause:
		if hold > 0 && hold < f.For {
			f.For = hold
		}
		return f
	case fault.Toxic:
		if was := 2 * f.Gap; f.Toxic.Name == "stall" && hold > 0 && hold < was {
			return fault.Stall(f.Link, hold)
		}
	}
	return f
}

// sizeOf is how large a run is; the events are those of the scenario that failed.
func (w *Whole) sizeOf(o harness.Options) Size {
	open := Whole{options: o}
	s := Size{Scenarios: len(o.Scenarios), Streams: open.streams(), Duration: o.Load.Duration}
	for _, sc := range o.Scenarios {
		s.Faults += len(leaves(sc.Fault))
		if sc.ID == w.options.Scenarios[w.target].ID && w.asked() {
			s.Events = events(sc.Shape)
		}
	}
	if len(o.Load.Stages) > 0 {
		s.Duration = arrivals.Length(o.Load.Stages)
	}
	return s
}

// asked reports whether the app can be asked for a number of events.
func (w *Whole) asked() bool {
	return w.options.App.IsOrigin() || strings.Contains(w.options.App.Path(), "{events}")
}
