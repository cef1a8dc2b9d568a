package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Fault is one fault with its parameters, or several that are combined.
type Fault struct {
	Type   FaultType `yaml:"type"`
	Link   Link      `yaml:"link"`
	Delay  Duration  `yaml:"delay"`
	Jitter Duration  `yaml:"jitter"`
	Rate   Size      `yaml:"rate"`
	Size   Size      `yaml:"size"`
	Event  Count     `yaml:"event"`
	Age    Duration  `yaml:"age"`
	Grace  Duration  `yaml:"grace"`
	Gap    Duration  `yaml:"gap"`

	Whole bool `yaml:"whole"`
	Room  Size `yaml:"room"`

	When     fault.When `yaml:"when"`
	Until    fault.When `yaml:"until"`
	Hold     Duration   `yaml:"hold"`
	All      Faults     `yaml:"all"`
	Sequence Faults     `yaml:"sequence"`
	Strikes  Faults     `yaml:"strikes"`
}

// A faultKind is a type of fault that a file may name.
type faultKind struct {
	name  string
	needs []string // keys that must be there
	takes []string // keys that may
	make  func(f *Fault, hold time.Duration) fault.Fault
}

// faultKinds are the faults by the names that the catalogue gives them. Adding
// one adds a line.
var faultKinds = []faultKind{
	{"latency", keys("link", "delay"), keys("jitter"), func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Latency(string(f.Link), time.Duration(f.Delay), time.Duration(f.Jitter))
	}},
	{"jitter", keys("link", "delay"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Jitter(string(f.Link), time.Duration(f.Delay))
	}},
	{"bandwidth", keys("link", "rate", "gap"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Bandwidth(string(f.Link), max(1, int(f.Rate/1000)), time.Duration(f.Gap))
	}},
	{"stall", keys("link", "hold"), nil, func(f *Fault, hold time.Duration) fault.Fault {
		return fault.Stall(string(f.Link), hold)
	}},
	{"slow-start", keys("link", "delay"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.SlowStart(string(f.Link), time.Duration(f.Delay))
	}},
	{"slow-close", keys("link", "delay"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.SlowClose(string(f.Link), time.Duration(f.Delay))
	}},
	{"slices", keys("link", "size"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Slices(string(f.Link), int(f.Size))
	}},
	{"down", keys("link"), nil, func(f *Fault, _ time.Duration) fault.Fault { return fault.Down{Link: string(f.Link)} }},
	{"partition", nil, nil, func(*Fault, time.Duration) fault.Fault {
		return fault.Down{Link: stack.UpstreamLink, One: true}
	}},
	strike("reset", stack.RST), strike("fin", stack.FIN), strike("half-close", stack.HalfClose),
	strike("truncate", stack.Truncate), strike("blackhole", stack.Blackhole), strike("corrupt", stack.Flip),
	strike("refuse", stack.Refuse),
	{"hold-at", keys("link", "event", "delay"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Strike{Link: string(f.Link), After: int(f.Event), Action: stack.Hold, For: time.Duration(f.Delay)}
	}},
	plain("kill-worker", fault.KillWorker{}), plain("crash", fault.Crash{}),
	{"memory-kill", nil, keys("whole"), func(f *Fault, _ time.Duration) fault.Fault {
		return fault.MemoryKill{Whole: f.Whole}
	}},
	{"squeeze", keys("room"), nil, func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Squeeze{Room: int64(f.Room)}
	}},
	plain("watch", fault.Watch{}),
	{"drain", nil, keys("grace"), func(f *Fault, _ time.Duration) fault.Fault {
		return fault.Drain{Grace: time.Duration(f.Grace)}
	}},
	{"pause", keys("hold"), nil, func(_ *Fault, hold time.Duration) fault.Fault { return fault.Pause{For: hold} }},
	plain("deploy", fault.Deploy{}), plain("scale-in", fault.ScaleIn{}), plain("scale-out", fault.ScaleOut{}),
	plain("node-drain", fault.NodeDrain{}),
	plain("edge-reload", fault.Reload{}),
}

func keys(names ...string) []string { return names }

func plain(name string, f fault.Fault) faultKind {
	return faultKind{name: name, make: func(*Fault, time.Duration) fault.Fault { return f }}
}

func strike(name string, a stack.Action) faultKind {
	return faultKind{name: name, needs: keys("link"), takes: keys("event", "age"),
		make: func(f *Fault, _ time.Duration) fault.Fault {
			return fault.Strike{Link: string(f.Link), After: int(f.Event), Age: time.Duration(f.Age), Action: a}
		}}
}

func kindOf(name string) (faultKind, bool) {
	i := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.name == name })
	if i < 0 {
		return faultKind{}, false
	}
	return faultKinds[i], true
}

func faultTypes() []string {
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// A misfit is what is wrong with a fault, below the path of its scenario.
type misfit struct{ path, problem, fix string }

func (m *misfit) Error() string { return m.path + ": " + m.problem + "; " + m.fix }

// build makes the fault. hold is how long the whole stands.
func (f *Fault) build(path string, hold Duration) (fault.Fault, error) {
	hold = cmp.Or(f.Hold, hold)
	made, err := f.inside(path, hold)
	if err != nil {
		return nil, err
	}
	t := fault.Timed{Fault: made, When: f.When, Hold: time.Duration(f.Hold), Until: f.Until}
	if t.When.IsZero() && t.Until.IsZero() && t.Hold == 0 {
		return made, nil
	}
	return t, nil
}

// inside is the fault without its own timetable.
func (f *Fault) inside(path string, hold Duration) (fault.Fault, error) {
	n := 0
	for _, given := range []bool{f.Type != "", len(f.All) > 0, len(f.Sequence) > 0, len(f.Strikes) > 0} {
		if given {
			n++
		}
	}
	switch {
	case n != 1:
		return nil, &misfit{path, fmt.Sprintf("%d of type, all, sequence and strikes are given", n), "name one"}
	case len(f.All) > 0:
		parts, err := f.All.build(path+".all", hold)
		return fault.All(parts), err
	case len(f.Sequence) > 0:
		parts, err := f.Sequence.build(path+".sequence", hold)
		return fault.Sequence(parts), err
	case len(f.Strikes) > 0:
		return f.Strikes.dealt(path+".strikes", hold)
	}
	kind, _ := kindOf(string(f.Type)) // known, or it would not have been read
	if err := f.fits(path, kind, hold); err != nil {
		return nil, err
	}
	return kind.make(f, time.Duration(hold)), nil
}

func (fs Faults) build(path string, hold Duration) ([]fault.Fault, error) {
	var parts []fault.Fault
	for i := range fs {
		p, err := fs[i].build(fmt.Sprintf("%s[%d]", path, i), hold)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// dealt makes strikes that are dealt out among the victims.
func (fs Faults) dealt(path string, hold Duration) (fault.Fault, error) {
	parts, err := fs.build(path, hold)
	var strikes fault.Strikes
	for i, p := range parts {
		s, ok := p.(fault.Strike)
		if !ok {
			return nil, &misfit{fmt.Sprintf("%s[%d]", path, i), "this is no strike at one stream",
				"use all: for faults of other types"}
		}
		strikes = append(strikes, s)
	}
	return strikes, err
}

// timetable are the keys that every fault takes.
var timetable = []string{"type", "when", "until", "hold"}

// fits holds the keys that are given against those that the kind knows.
func (f *Fault) fits(path string, kind faultKind, hold Duration) error {
	v := reflect.ValueOf(f).Elem()
	known := slices.Concat(kind.needs, kind.takes)
	for _, k := range keysIn(v.Type()) {
		key, given := k.name, !v.FieldByIndex(k.field.Index).IsZero()
		switch {
		case given && !slices.Contains(known, key) && !slices.Contains(timetable, key):
			return &misfit{path + "." + key, kind.name + " takes no " + key, takes(known)}
		case !given && slices.Contains(kind.needs, key) && (key != "hold" || hold == 0):
			return &misfit{path, kind.name + " needs a " + key, "add " + key + ": " + exampleOf[key]}
		}
	}
	return nil
}

func takes(known []string) string {
	if len(known) == 0 {
		return "leave it out"
	}
	return "it takes " + strings.Join(known, ", ")
}

var exampleOf = map[string]string{"link": "upstream", "delay": "300ms", "rate": "10kB", "size": "8", "gap": "200ms",
	"hold": "1s", "event": "5", "room": "4MiB"}
