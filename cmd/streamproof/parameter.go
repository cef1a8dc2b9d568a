package main

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/search"
)

// A parameter is a number of a run that can be searched over, by its key in
// streamproof.yaml.
type parameter struct {
	name string
	kind paramKind
	down bool // a larger value is easier for the app
	set  func(o *harness.Options, x float64)
}

// A paramKind is how values are written.
type paramKind uint8

const (
	wholeNumber paramKind = iota
	perSecond
	anyNumber
	duration
	bytesOf
)

// shortNames are what users call the parameters that they search most.
var shortNames = map[string]string{
	"streams": "load.streams", "rate": "load.rate", "hold": "hold",
	"memory": "app.memory", "cpus": "app.cpus", "replicas": "app.replicas", "workers": "app.workers",
	"timeout": "edge.read_timeout",
	"gap":     "shape.gap", "pause": "shape.pause", "size": "shape.size", "events": "shape.events",
}

// easier are the parameters of which more is easier.
var easier = []string{
	"app.memory", "app.cpus", "app.pids", "app.shm", "app.replicas", "app.workers", "edge.read_timeout",
	"limits.", "thresholds.", "app.grace", "app.start",
}

// limits are those of streams.
var limits = map[string]func(*harness.Options) *time.Duration{
	"limits.gap":         func(o *harness.Options) *time.Duration { return &o.GapLimit },
	"limits.first_event": func(o *harness.Options) *time.Duration { return &o.FirstLimit },
	"limits.progress":    func(o *harness.Options) *time.Duration { return &o.ProgressLimit },
	"limits.total":       func(o *harness.Options) *time.Duration { return &o.Total },
}

// parametersOf lists what the run has.
func parametersOf(o *harness.Options) []parameter {
	var all []parameter
	add := func(name string, t reflect.Type, tag string, at func(*harness.Options) []reflect.Value) {
		kind, ok := kindOf(t, tag)
		if !ok {
			return
		}
		down := slices.ContainsFunc(easier, func(e string) bool {
			return name == e || strings.HasSuffix(e, ".") && strings.HasPrefix(name, e)
		})
		all = append(all, parameter{name, kind, down, func(o *harness.Options, x float64) {
			for _, v := range at(o) {
				put(v, x)
			}
		}})
	}
	section := func(prefix string, of func(*harness.Options) []reflect.Value) {
		var t reflect.Type
		if vs := of(o); len(vs) > 0 {
			t = vs[0].Type()
		} else {
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if !f.IsExported() || name == "" {
				continue
			}
			add(prefix+name, f.Type, f.Tag.Get("value"), func(o *harness.Options) (out []reflect.Value) {
				for _, v := range of(o) {
					out = append(out, v.Field(i))
				}
				return out
			})
		}
	}
	one := func(p func(*harness.Options) any) func(*harness.Options) []reflect.Value {
		return func(o *harness.Options) []reflect.Value { return []reflect.Value{reflect.ValueOf(p(o)).Elem()} }
	}
	each := func(p func(*harness.Scenario) any) func(*harness.Options) []reflect.Value {
		return func(o *harness.Options) (out []reflect.Value) {
			for i := range o.Scenarios {
				out = append(out, reflect.ValueOf(p(&o.Scenarios[i])).Elem())
			}
			return out
		}
	}
	section("load.", one(func(o *harness.Options) any { return &o.Load }))
	section("thresholds.", one(func(o *harness.Options) any { return &o.Thresholds }))
	if o.App.URL == "" {
		section("app.", one(func(o *harness.Options) any { return &o.App }))
		section("edge.", one(func(o *harness.Options) any { return &o.App.Edge }))
	}
	for name, limit := range limits {
		add(name, reflect.TypeFor[time.Duration](), "", one(func(o *harness.Options) any { return limit(o) }))
	}
	if o.App.IsOrigin() || strings.Contains(o.App.Path(), "{gap}") {
		section("shape.", each(func(s *harness.Scenario) any { return &s.Shape }))
	}
	if slices.ContainsFunc(o.Scenarios, func(s harness.Scenario) bool { return s.Fault != nil }) {
		add("hold", reflect.TypeFor[time.Duration](), "", each(func(s *harness.Scenario) any { return &s.Hold }))
		faultParameters(o, &all)
	}
	slices.SortFunc(all, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return all
}

// faultParameters adds the numbers of the scenarios' faults that are no combined ones.
func faultParameters(o *harness.Options, all *[]parameter) {
	seen := map[string]bool{}
	for i := range o.Scenarios {
		eachNumber(o.Scenarios[i].Fault, func(name string, t reflect.Type) {
			kind, ok := kindOf(t, "")
			if !ok || seen[name] {
				return
			}
			seen[name] = true
			*all = append(*all, parameter{"fault." + name, kind, false, func(o *harness.Options, x float64) {
				for i := range o.Scenarios {
					o.Scenarios[i].Fault = withNumber(o.Scenarios[i].Fault, name, x)
				}
			}})
		})
	}
}

func eachNumber(f fault.Fault, yield func(name string, t reflect.Type)) {
	v := reflect.ValueOf(f)
	if f == nil || v.Kind() != reflect.Struct {
		return
	}
	switch f.(type) {
	case fault.Toxic, fault.Weather: // their numbers are how they show, and do not make them
		if _, ok := fault.Delayed(f, time.Second); ok {
			yield("delay", reflect.TypeFor[time.Duration]())
		}
		return
	}
	for i := range v.NumField() {
		switch field := v.Type().Field(i); {
		case field.Type.Kind() == reflect.Struct && field.IsExported():
			for j := range field.Type.NumField() {
				if inner := field.Type.Field(j); inner.IsExported() && !v.Field(i).Field(j).IsZero() {
					yield(strings.ToLower(inner.Name), inner.Type)
				}
			}
		case field.IsExported() && !v.Field(i).IsZero():
			yield(strings.ToLower(field.Name), field.Type)
		}
	}
}

// withNumber is a copy of a fault with one of its numbers set.
func withNumber(f fault.Fault, name string, x float64) fault.Fault {
	v := reflect.ValueOf(f)
	if f == nil || v.Kind() != reflect.Struct {
		return f
	}
	switch f.(type) {
	case fault.Toxic, fault.Weather:
		if name == "delay" {
			f, _ = fault.Delayed(f, time.Duration(math.Round(x*float64(time.Second))))
		}
		return f
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	for i := range c.NumField() {
		field := c.Type().Field(i)
		if field.IsExported() && strings.ToLower(field.Name) == name {
			put(c.Field(i), x)
		}
		if field.IsExported() && field.Type.Kind() == reflect.Struct {
			for j := range field.Type.NumField() {
				if inner := field.Type.Field(j); inner.IsExported() && strings.ToLower(inner.Name) == name {
					put(c.Field(i).Field(j), x)
				}
			}
		}
	}
	return c.Interface().(fault.Fault)
}

func kindOf(t reflect.Type, tag string) (paramKind, bool) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return duration, true
	case tag == "size":
		return bytesOf, true
	case tag == "rate":
		return perSecond, true
	case tag == "port":
		return 0, false
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return wholeNumber, true
	case t.Kind() == reflect.Float64:
		return anyNumber, true
	}
	return 0, false
}

func put(v reflect.Value, x float64) {
	switch {
	case !v.CanSet():
	case v.Kind() == reflect.Float64:
		v.SetFloat(x)
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(math.Round(x * float64(time.Second))))
	case v.CanInt():
		v.SetInt(int64(math.Round(x)))
	}
}

// read is a value as users write it: seconds of a duration, bytes of a size.
func (k paramKind) read(s string) (float64, error) {
	s = strings.TrimSpace(s)
	switch k {
	case duration:
		var d config.Duration
		err := d.Set(s)
		return time.Duration(d).Seconds(), err
	case bytesOf:
		var z config.Size
		err := z.Set(s)
		return float64(z), err
	case perSecond:
		var r config.Rate
		err := r.Set(s)
		return float64(r), err
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.Abs(x) > mostWhole || k == wholeNumber && x != math.Trunc(x) {
		return 0, &config.ValueError{Problem: fmt.Sprintf("%q is no number", s),
			Fix: "write a range such as streams=10..5000"}
	}
	return x, nil
}

// mostWhole is up to where a float64 holds each whole number.
const mostWhole = 1 << 53

// exactly writes a value so that read has the one that [put] puts into a run.
func (k paramKind) exactly(x float64) string {
	switch k {
	case duration:
		return time.Duration(math.Round(x * float64(time.Second))).String()
	case perSecond:
		return strconv.FormatFloat(x, 'g', -1, 64) + "/s"
	case anyNumber:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strconv.FormatInt(int64(math.Round(x)), 10)
}

// say writes a value as users do.
func (k paramKind) say(x float64) string {
	switch k {
	case duration:
		return time.Duration(x * float64(time.Second)).Round(time.Microsecond).String()
	case bytesOf:
		return sizeText(x)
	case perSecond:
		return strconv.FormatFloat(x, 'g', 4, 64) + "/s"
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// sizeText writes a size in the largest unit of which it is a whole number: values that
// were asked for read as they were typed, and those between are rounded to MiB where that
// is a small part of them.
func sizeText(x float64) string {
	if x >= 100<<20 {
		x = math.Round(x/(1<<20)) * (1 << 20)
	}
	n := int64(math.Round(x))
	switch {
	case n != 0 && n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	case n != 0 && n%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", n>>10)
	}
	return strconv.FormatInt(n, 10)
}

// parameterOf finds a number of the run by its key or its short name. place is the flag that names it.
func parameterOf(place, name string, o *harness.Options) (parameter, error) {
	full := cmp.Or(shortNames[name], name)
	all := parametersOf(o)
	i := slices.IndexFunc(all, func(p parameter) bool { return p.name == full })
	if i < 0 {
		var names []string
		for _, p := range all {
			names = append(names, p.name)
		}
		return parameter{}, &harness.UsageError{Place: place, Problem: fmt.Sprintf("this run has no number %q", name),
			Fix: config.Suggest(full, names)}
	}
	if full == "app.memory" && o.App.Image == "" && o.App.Build == "" && o.App.Compose.File == "" &&
		o.App.Stack != "docker" {
		return parameter{}, &harness.UsageError{Place: place,
			Problem: "memory is limited in containers alone, and this app runs as a process",
			Fix:     "name an image, or add --stack docker"}
	}
	return all[i], nil
}

// assign sets the numbers that --set names: those of a run of a search, for which there is no other flag.
func assign(list []string, o *harness.Options) error {
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return &harness.UsageError{Place: "--set", Problem: fmt.Sprintf("%q is no parameter with a value", s),
				Fix: "write --set edge.read_timeout=5s"}
		}
		p, err := parameterOf("--set", name, o)
		if err != nil {
			return err
		}
		x, err := p.kind.read(value)
		if err != nil {
			return &harness.UsageError{Place: "--set", Problem: fmt.Sprintf("%q is no value of %s", value, p.name),
				Fix: "write --set " + p.name + "=" + p.kind.example()}
		}
		o.Scenarios = slices.Clone(o.Scenarios)
		p.assign(o, x)
	}
	return nil
}

// example is a value of the kind.
func (k paramKind) example() string {
	return [...]string{wholeNumber: "10", perSecond: "20/s", anyNumber: "1.5", duration: "5s", bytesOf: "64MiB"}[k]
}

// assign gives the run the value; one model of load drops the other.
func (p parameter) assign(o *harness.Options, x float64) {
	switch p.name {
	case "load.streams":
		o.Load.Rate = 0
	case "load.rate":
		o.Load.Streams = 0
	}
	p.set(o, x)
}

// over reads NAME=A..B.
func over(s string, o *harness.Options) (parameter, search.Range, error) {
	bad := func(fix, problem string, args ...any) (parameter, search.Range, error) {
		return parameter{}, search.Range{},
			&harness.UsageError{Place: "--over", Problem: fmt.Sprintf(problem, args...), Fix: fix}
	}
	name, span, ok := strings.Cut(s, "=")
	from, to, ranged := strings.Cut(span, "..")
	if !ok || !ranged {
		return bad("write --over streams=10..5000", "%q is no parameter with a range", s)
	}
	p, err := parameterOf("--over", name, o)
	if err != nil {
		return p, search.Range{}, err
	}
	r := search.Range{Whole: p.kind == wholeNumber, Down: p.down}
	if r.From, err = p.kind.read(from); err == nil {
		r.To, err = p.kind.read(to)
	}
	if v, isValue := err.(*config.ValueError); isValue {
		return bad(v.Fix, "%s", v.Problem)
	}
	if err := r.Validate(); err != nil {
		fix := "write the smaller value first, as in streams=10..5000"
		if !(r.From > 0) {
			fix = "begin with a value above 0, as in streams=10..5000"
		}
		return bad(fix, "%s: %v", s, err)
	}
	return p, r, nil
}
