package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
)

// Arrivals is how the streams of a rate follow each other.
type Arrivals arrivals.Process

// A Target is where a stage leads.
type Target arrivals.Target

func (a *Arrivals) Set(s string) error {
	p, err := arrivals.Parse(s)
	var bad *arrivals.ParseError
	if errors.As(err, &bad) {
		return &ValueError{Problem: bad.Problem, Fix: bad.Fix}
	}
	*a = Arrivals(p)
	return err
}

func (a Arrivals) String() string { return arrivals.Process(a).String() }
func (Arrivals) Type() string     { return "process" }

func (a *Arrivals) UnmarshalYAML(n ast.Node) error { return scalar(n, "a kind of arrivals", a.Set) }

// MarshalYAML writes what UnmarshalYAML reads.
func (a Arrivals) MarshalYAML() (any, error) { return a.String(), nil }

// JSONSchema lists the kinds.
func (Arrivals) JSONSchema() *jsonschema.Schema {
	return text(`^(constant|poisson|trace|gamma\([0-9.]+\)|burst\([0-9]+\))$`, "poisson", "gamma(2)", "burst(10)")
}

// Set takes a number of streams, or a rate.
func (t *Target) Set(s string) error {
	number, unit, rate := strings.Cut(s, "/")
	if n, err := strconv.ParseFloat(strings.TrimSpace(number), 64); rate && err == nil && n == 0 &&
		per[strings.TrimSpace(unit)] > 0 {
		*t = Target{0, true}
		return nil
	}
	if rate {
		n, err := parseRate(s)
		*t = Target{n, true}
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return badValue("write streams at a time, such as 50, or a rate, such as 20/s", "%q is no target", s)
	}
	*t = Target{float64(n), false}
	return nil
}

func (t Target) String() string { return arrivals.Target(t).String() }

func (t *Target) UnmarshalYAML(n ast.Node) error { return scalar(n, "a target", t.Set) }

// MarshalYAML writes what UnmarshalYAML reads.
func (t Target) MarshalYAML() (any, error) {
	if t.Rate {
		return t.String(), nil
	}
	return int(t.Value), nil
}

// JSONSchema takes a whole number, or a rate.
func (Target) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{text(`^[0-9]+(\.[0-9]+)? */ *(s|sec|second|m|min|minute|h|hour)$`, "20/s"),
			whole("0", "")}}
}

// Stages are those of a flag: --stage 30s:20, as k6 takes them, one or several behind
// commas.
type Stages []arrivals.Stage

// Set adds stages.
func (l *Stages) Set(s string) error {
	for _, one := range strings.Split(s, ",") {
		d, target, ok := strings.Cut(strings.TrimSpace(one), ":")
		if !ok {
			return badValue("write it like 30s:20, or 30s:20/s", "%q is no stage", one)
		}
		length, err := parseDuration(d)
		if err != nil {
			return err
		}
		var to Target
		if err := to.Set(target); err != nil {
			return err
		}
		*l = append(*l, arrivals.Stage{Duration: length, Target: arrivals.Target(to)})
	}
	if _, why := arrivals.Unlike(*l); why != "" {
		return badValue(sameTargets, "%s", why)
	}
	return nil
}

const sameTargets = "write all targets as streams at a time (50), or all as rates (20/s)"

func (l Stages) String() string {
	var all []string
	for _, s := range l {
		all = append(all, s.Duration.String()+":"+s.Target.String())
	}
	return strings.Join(all, ",")
}

func (Stages) Type() string { return "stages" }

// checkStages refuses stages that cannot follow each other.
func (f *File) checkStages() error {
	check := func(path string, l harness.Load) error {
		if i, why := arrivals.Unlike(l.Stages); why != "" {
			return f.Locate(fmt.Sprintf("%s.stages[%d].target", path, i), why, sameTargets)
		}
		return nil
	}
	if err := check("load", f.Load); err != nil {
		return err
	}
	for i, d := range f.Define {
		if d.Load.Prompts != "" {
			return f.Locate(fmt.Sprintf("define[%d].load.prompts", i), "prompts of a single scenario",
				"name the file on the top level: load.prompts")
		}
		if err := check(fmt.Sprintf("define[%d].load", i), d.Load); err != nil {
			return err
		}
	}
	return nil
}

// RequestsFile is the path of load.prompts, "" for none.
func (f *File) RequestsFile() string { return f.Load.Prompts }

// String is p as a flag shows it.
func (p Share) String() string {
	return unlessZero(p, strconv.FormatFloat(float64(p)*100, 'g', -1, 64)+"%")
}

func (Share) Type() string { return "share" }
