package config

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
)

// Encode writes options as a file of the folder dir that [Parse] reads as the same
// options, with all scenarios defined in full. What only flags can say (stack, sabotage,
// prompts) is not in it.
func Encode(o harness.Options, dir string) ([]byte, error) {
	e := encoder{dir: dir}
	doc := yaml.MapSlice{}
	add := func(key string, v any) {
		if list, ok := v.(yaml.MapSlice); ok && len(list) == 0 || v == nil || reflect.ValueOf(v).IsZero() {
			return
		}
		doc = append(doc, yaml.MapItem{Key: key, Value: v})
	}
	of := func(v any) yaml.MapSlice { return e.fields(reflect.ValueOf(v)) }
	a := o.App
	add("app", of(a))
	add("edge", of(a.Edge))
	stream := of(a.Stream)
	add("stream", stream)
	tls := of(a.TLS)
	if len(a.Resolve) > 0 {
		var all []string
		for from, to := range a.Resolve {
			all = append(all, from+":"+to)
		}
		tls = append(tls, yaml.MapItem{Key: "resolve", Value: all})
	}
	add("tls", tls)
	add("load", of(o.Load))
	add("load_workers", o.LoadWorkers)
	add("fleet", of(o.Fleet))
	add("limits", of(Limits{Limit(o.FirstLimit), Limit(o.GapLimit), Limit(o.ProgressLimit), Limit(o.Total)}))
	add("thresholds", of(o.Thresholds))
	add("slo", o.SLO)
	add("logs", e.logs(a.Logs))
	if s := a.Stream.Spec; s != nil {
		add("dialects", []any{*s})
	}
	add("strict", o.Strict)
	add("allow_hosts", o.AllowHosts)
	var define, names []any
	for _, s := range o.Scenarios {
		define, names = append(define, e.scenario(s)), append(names, s.ID)
	}
	add("define", define)
	add("scenarios", names)
	add("seed", o.Seed)
	if e.err != nil {
		return nil, e.err
	}
	return yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
}

// An encoder writes values as [File.decode] reads them.
type encoder struct {
	dir string
	err error
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// fields writes the keys of a struct that are not zero.
func (e *encoder) fields(v reflect.Value) (out yaml.MapSlice) {
	for _, k := range keysIn(v.Type()) {
		x := v.FieldByIndex(k.field.Index)
		if x.IsZero() || x.Kind() == reflect.Map && x.Len() == 0 {
			continue
		}
		if written := e.value(x, k.field.Tag.Get("value")); written != nil {
			out = append(out, yaml.MapItem{Key: k.name, Value: written})
		}
	}
	return out
}

// value writes one value as the tag of its field says.
func (e *encoder) value(v reflect.Value, tag string) any {
	as := valueOf(v.Type(), tag)
	switch {
	case tag == "path":
		return e.beside(v.String())
	case tag == "env":
		env := yaml.MapSlice{}
		for i := range v.Len() {
			name, value, _ := strings.Cut(v.Index(i).String(), "=")
			env = append(env, yaml.MapItem{Key: name, Value: value})
		}
		return env
	case as != nil:
		return e.scalar(v.Convert(as))
	case v.Type().PkgPath() == reflect.TypeFor[Count]().PkgPath() && v.Kind() != reflect.Struct:
		return e.scalar(v)
	case v.Kind() == reflect.Pointer:
		return e.value(v.Elem(), "")
	case v.Kind() == reflect.Struct && tag != "plain":
		if inner := e.fields(v); len(inner) > 0 {
			return inner
		}
		return nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && tag != "plain":
		var all []any
		for i := range v.Len() {
			all = append(all, e.fields(v.Index(i)))
		}
		return all
	}
	return v.Interface()
}

// scalar writes a value that reads itself.
func (e *encoder) scalar(v reflect.Value) any {
	if own, ok := v.Interface().(yaml.InterfaceMarshaler); ok {
		x, err := own.MarshalYAML()
		if err != nil {
			e.fail(err)
		}
		return x
	}
	switch v.Kind() {
	case reflect.Slice:
		all := []string{}
		for i := range v.Len() {
			all = append(all, v.Index(i).String())
		}
		return all
	case reflect.String:
		return v.String()
	}
	switch x := v.Interface().(type) {
	case Count, Port:
		return v.Int()
	case Share:
		return float64(x)
	case fmt.Stringer:
		return x.String()
	case Amount:
		return float64(x)
	}
	return v.Interface()
}

// beside makes a path relative to the file's folder.
func (e *encoder) beside(path string) string {
	full, err := filepath.Abs(path)
	dir, err2 := filepath.Abs(e.dir)
	if err := errors.Join(err, err2); err != nil {
		e.fail(err)
		return path
	}
	if filepath.IsAbs(path) {
		return path
	}
	rel, err := filepath.Rel(dir, full)
	if err != nil {
		return full
	}
	return filepath.ToSlash(rel)
}

func (e *encoder) logs(all []harness.LogFile) yaml.MapSlice {
	byKind := map[string][]string{}
	var kinds []string
	for _, l := range all {
		kind := cmp.Or(l.Kind, "auto")
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], e.beside(l.Path))
	}
	var out yaml.MapSlice
	for _, kind := range kinds {
		out = append(out, yaml.MapItem{Key: kind, Value: byKind[kind]})
	}
	return out
}

// scenario writes one in full: nothing of it comes from the catalogue.
func (e *encoder) scenario(s harness.Scenario) yaml.MapSlice {
	out := e.fields(reflect.ValueOf(s))
	if s.Fault != nil {
		out = append(out, yaml.MapItem{Key: "fault", Value: e.fault(s.Fault, s.Hold)})
	}
	checks := append([]string{}, s.Policy.Checks...)
	out = append(out, yaml.MapItem{Key: "checks", Value: checks})
	if t := e.fields(reflect.ValueOf(s.Policy.Thresholds)); len(t) > 0 {
		out = append(out, yaml.MapItem{Key: "thresholds", Value: t})
	}
	return out
}

// fault writes one that stands for hold where it does not say so itself, and makes sure
// that it would be read as the same.
func (e *encoder) fault(f fault.Fault, hold time.Duration) yaml.MapSlice {
	said, ok := spelt(f, hold)
	if ok {
		again, err := said.build("fault", Duration(hold))
		ok = err == nil && sameFault(again, f)
	}
	if !ok {
		e.fail(fmt.Errorf("write a file: the fault %s has no place in streamproof.yaml", f))
	}
	return e.spelt(said)
}

// sameFault compares two faults by what plans say of them, and by their parameters where
// these can be compared: the sign of a weather is a function.
func sameFault(a, b fault.Fault) bool {
	return a.String() == b.String() && reflect.TypeOf(a) == reflect.TypeOf(b)
}

func (e *encoder) spelt(f Fault) yaml.MapSlice {
	v := reflect.ValueOf(f)
	var out yaml.MapSlice
	for _, k := range keysIn(v.Type()) {
		x := v.FieldByIndex(k.field.Index)
		if x.IsZero() {
			continue
		}
		if list, ok := x.Interface().(Faults); ok {
			var all []any
			for _, one := range list {
				all = append(all, e.spelt(one))
			}
			out = append(out, yaml.MapItem{Key: k.name, Value: all})
			continue
		}
		out = append(out, yaml.MapItem{Key: k.name, Value: e.value(x, k.field.Tag.Get("value"))})
	}
	return out
}

// spelt is how a file says a fault; false where it cannot.
func spelt(f fault.Fault, hold time.Duration) (Fault, bool) {
	each := func(members []fault.Fault) (list Faults, ok bool) {
		for _, m := range members {
			said, ok := spelt(m, hold)
			if !ok {
				return nil, false
			}
			list = append(list, said)
		}
		return list, len(list) > 0
	}
	switch f := f.(type) {
	case fault.Timed:
		said, ok := spelt(f.Fault, cmp.Or(f.Hold, hold))
		said.When, said.Until, said.Hold = f.When, f.Until, Duration(f.Hold)
		return said, ok
	case fault.All:
		list, ok := each(f)
		return Fault{All: list}, ok
	case fault.Sequence:
		list, ok := each(f)
		return Fault{Sequence: list}, ok
	case fault.Strikes:
		var members []fault.Fault
		for _, s := range f {
			members = append(members, s)
		}
		list, ok := each(members)
		return Fault{Strikes: list}, ok
	case fault.Toxic, fault.Weather:
		m, ok := fault.Made(f)
		return speltLink(m), ok && (m.By != fault.MadeStall || m.Hold == hold)
	case fault.Strike:
		return speltStrike(f)
	case fault.Down:
		if f.One {
			return Fault{Type: "partition"}, f.Link == "" || f.Link == stack.UpstreamLink
		}
		return Fault{Type: "down", Link: Link(f.Link)}, true
	case fault.MemoryKill:
		return Fault{Type: "memory-kill", Whole: f.Whole}, true
	case fault.Squeeze:
		return Fault{Type: "squeeze", Room: Size(f.Room)}, true
	case fault.Drain:
		return Fault{Type: "drain", Grace: Duration(f.Grace)}, true
	case fault.Pause:
		return Fault{Type: "pause"}, f.For == hold
	}
	for _, k := range faultKinds { // those without parameters
		if len(k.needs)+len(k.takes) == 0 && reflect.TypeOf(k.make(&Fault{}, 0)) == reflect.TypeOf(f) {
			return Fault{Type: FaultType(k.name)}, true
		}
	}
	return Fault{}, false
}

func speltLink(m fault.Making) Fault {
	f := Fault{Type: FaultType(m.By), Link: Link(m.Link), Delay: Duration(m.Delay), Jitter: Duration(m.Jitter),
		Size: Size(m.Size)}
	if m.By == fault.MadeBandwidth {
		f.Rate, f.Gap = Size(m.Rate)*1000, Duration(m.Gap)
	}
	return f
}

func speltStrike(s fault.Strike) (Fault, bool) {
	f := Fault{Link: Link(s.Link), Event: Count(s.After), Age: Duration(s.Age)}
	if s.Action == stack.Hold {
		f.Type, f.Delay = "hold-at", Duration(s.For)
		return f, true
	}
	for _, k := range faultKinds {
		made := fault.Fault(nil)
		if len(k.takes) == 2 && k.takes[0] == "event" {
			made = k.make(&Fault{}, 0)
		}
		if made, ok := made.(fault.Strike); ok && made.Action == s.Action {
			f.Type = FaultType(k.name)
			return f, true
		}
	}
	return f, false
}
