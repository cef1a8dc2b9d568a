package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/suggest"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The types of values. Each reads itself from YAML (UnmarshalYAML) and from a
// flag (Set, String, Type), with the same errors: *[ValueError].
type (
	Duration time.Duration
	Limit    time.Duration // more than 0
	Rate     float64       // per second
	Size     int64         // bytes
	Count    int           // at least 1
	Port     int
	Dialect  string
	Form     string  // of an edge
	Hop      string  // of the chain
	ID       string  // of a scenario
	Amount   float64 // more than 0

	Expectation string // what a scenario must see
	FaultType   string
	Link        string
	Share       float64  // of all streams, more than 0
	Factor      float64  // above 1; below 0 is off
	Flags       []string // of streams
	Faults      []Fault
	Command     []string // a program and its arguments
	Names       []string // one or several
)

func (d *Duration) Set(s string) (err error) { return set(d, s, parseDuration) }
func (l *Limit) Set(s string) (err error)    { return set(l, s, parseLimit) }
func (r *Rate) Set(s string) (err error)     { return set(r, s, parseRate) }
func (z *Size) Set(s string) (err error)     { return set(z, s, parseSize) }
func (c *Count) Set(s string) (err error)    { return set(c, s, parseCount) }
func (p *Port) Set(s string) (err error)     { return set(p, s, parsePort) }

// Set takes one of the dialects that the stream package knows.
func (d *Dialect) Set(s string) error {
	if _, ok := stream.Lookup(s); !ok {
		return unknownName("dialect", s, Dialects())
	}
	*d = Dialect(s)
	return nil
}

func (f *Form) Set(s string) error {
	for _, n := range forms {
		if n == s {
			*f = Form(s)
			return nil
		}
	}
	return unknownName("edge form", s, forms)
}

func (h *Hop) Set(s string) error {
	if !slices.Contains(hops, s) {
		return unknownName("hop", s, hops)
	}
	*h = Hop(s)
	return nil
}

func (e *Expectation) Set(s string) error {
	if !slices.Contains(record.Expectations, record.Expectation(s)) {
		return unknownName("expectation", s, expectations())
	}
	*e = Expectation(s)
	return nil
}

// hops are where streams can enter the chain.
var hops = []string{"edge", "nginx", "upstream", "app"}

func expectations() []string {
	var names []string
	for _, e := range record.Expectations {
		names = append(names, string(e))
	}
	return names
}

// Set takes one of the faults of the catalogue.
func (t *FaultType) Set(s string) error {
	if _, ok := kindOf(s); !ok {
		return unknownName("fault", s, faultTypes())
	}
	*t = FaultType(s)
	return nil
}

// linkName is what links are called.
var linkName = regexp.MustCompile(`^(edge|upstream(\[[0-9]+\])?)$`)

func (l *Link) Set(s string) error {
	if !linkName.MatchString(s) {
		return unknownName("link", s, []string{stack.EdgeLink, stack.UpstreamLink, stack.UpstreamLink + "[0]"})
	}
	*l = Link(s)
	return nil
}

// Set takes a part of the whole: 0.5, or 50%.
func (p *Share) Set(s string) error {
	number, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		n /= 100
	}
	if err != nil || !(n > 0 && n <= 1) {
		return badValue("write it like 0.5 or 50%", "%q is no share", s)
	}
	*p = Share(n)
	return nil
}

// Set takes a number above 1, or off, which is stored below 0.
func (x *Factor) Set(s string) error {
	if s == "off" {
		*x = -1
		return nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(n > 1) {
		return badValue("write it like 5, or off", "%q is no factor above 1", s)
	}
	*x = Factor(n)
	return nil
}

func (x Factor) String() string {
	if x < 0 {
		return "off"
	}
	return unlessZero(x, strconv.FormatFloat(float64(x), 'g', -1, 64))
}

func (Factor) Type() string { return "factor" }

func (x *Factor) UnmarshalYAML(n ast.Node) error { return scalar(n, "a factor", x.Set) }

func (c *Command) Set(s string) (err error) {
	*c, err = words(s)
	return err
}

// String is empty for the zero value, so that a flag without a default shows
// none.
func (d Duration) String() string { return unlessZero(d, time.Duration(d).String()) }
func (l Limit) String() string    { return Duration(l).String() }
func (r Rate) String() string {
	return unlessZero(r, strconv.FormatFloat(float64(r), 'g', -1, 64)+"/s")
}
func (z Size) String() string    { return unlessZero(z, strconv.FormatInt(int64(z), 10)) }
func (c Count) String() string   { return unlessZero(c, strconv.Itoa(int(c))) }
func (d Dialect) String() string { return string(d) }

func (Duration) Type() string { return "duration" }
func (Limit) Type() string    { return "duration" }
func (Rate) Type() string     { return "rate" }
func (Size) Type() string     { return "size" }
func (Count) Type() string    { return "n" }
func (Dialect) Type() string  { return "name" }

func (d *Duration) UnmarshalYAML(n ast.Node) error { return scalar(n, "a duration", d.Set) }
func (l *Limit) UnmarshalYAML(n ast.Node) error    { return scalar(n, "a duration", l.Set) }
func (r *Rate) UnmarshalYAML(n ast.Node) error     { return scalar(n, "a rate", r.Set) }
func (z *Size) UnmarshalYAML(n ast.Node) error     { return scalar(n, "a size", z.Set) }
func (c *Count) UnmarshalYAML(n ast.Node) error    { return scalar(n, "a number", c.Set) }
func (p *Port) UnmarshalYAML(n ast.Node) error     { return scalar(n, "a port", p.Set) }

// UnmarshalYAML takes any name: it may be one of the file's own, which
// [File.checkDialects] knows.
func (d *Dialect) UnmarshalYAML(n ast.Node) error {
	return scalar(n, "the name of a dialect", func(s string) error {
		*d = Dialect(s)
		return nil
	})
}

func (f *Form) UnmarshalYAML(n ast.Node) error { return scalar(n, "the name of a form", f.Set) }

func (h *Hop) UnmarshalYAML(n ast.Node) error { return scalar(n, "the name of a hop", h.Set) }

func (e *Expectation) UnmarshalYAML(n ast.Node) error {
	return scalar(n, "the name of an expectation", e.Set)
}

func (t *FaultType) UnmarshalYAML(n ast.Node) error { return scalar(n, "the type of a fault", t.Set) }
func (l *Link) UnmarshalYAML(n ast.Node) error      { return scalar(n, "the name of a link", l.Set) }
func (p *Share) UnmarshalYAML(n ast.Node) error     { return scalar(n, "a share", p.Set) }

// UnmarshalYAML takes a list of flags.
func (fs *Flags) UnmarshalYAML(n ast.Node) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return &placed{n.GetToken(), badValue("write it like [late, gappy]", "a list of flags is expected here")}
	}
	*fs = Flags{}
	for _, v := range seq.Values {
		err := scalar(v, "the name of a flag", func(s string) error {
			if !slices.Contains(flagNames(), s) {
				return unknownName("flag", s, flagNames())
			}
			*fs = append(*fs, s)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func flagNames() []string {
	var names []string
	for _, f := range verdict.Flags {
		names = append(names, string(f))
	}
	return names
}

// UnmarshalYAML takes a list, or one line that is split into words.
func (c *Command) UnmarshalYAML(n ast.Node) (err error) {
	if _, ok := n.(*ast.SequenceNode); ok {
		*c, err = list(n, "a word of the command")
		return err
	}
	return scalar(n, "a command", c.Set)
}

// UnmarshalYAML takes a list, or a single name.
func (l *Names) UnmarshalYAML(n ast.Node) (err error) {
	if _, ok := n.(*ast.SequenceNode); ok {
		*l, err = list(n, "a name")
		return err
	}
	return scalar(n, "a list of names", func(s string) error {
		*l = Names{s}
		return nil
	})
}

func unlessZero[T comparable](v T, s string) string {
	var zero T
	if v == zero {
		return ""
	}
	return s
}

// set stores what parse made of s.
func set[T, V ~int | ~int64 | ~float64](dst *T, s string, parse func(string) (V, error)) error {
	v, err := parse(s)
	if err == nil {
		*dst = T(v)
	}
	return err
}

// list reads a sequence of scalars.
func list(n ast.Node, what string) ([]string, error) {
	var out []string
	for _, v := range n.(*ast.SequenceNode).Values {
		err := scalar(v, what, func(s string) error {
			out = append(out, s)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scalar reads a single value, and ties its error to its place.
func scalar(n ast.Node, what string, set func(string) error) error {
	if _, ok := n.(ast.ScalarNode); !ok {
		return &placed{n.GetToken(), badValue("write "+what, "%s is expected here", what)}
	}
	if err := set(n.GetToken().Value); err != nil {
		return &placed{n.GetToken(), err}
	}
	return nil
}

// forms lists the edges that a file may ask for.
var forms = []string{string(stack.EdgeNone), string(stack.EdgeStreaming), string(stack.EdgeDefault),
	string(stack.EdgeGzip),
	string(stack.EdgeHTTP10), string(stack.EdgeCache)}

// Dialects lists the dialects by name.
func Dialects() []string {
	var names []string
	for _, d := range stream.Dialects() {
		names = append(names, d.Name)
	}
	return names
}

func unknownName(what, got string, known []string) error {
	return badValue(Suggest(got, known), "unknown %s %q", what, got)
}

// Suggest is the fix for a name that is not among the known ones: the nearest,
// the one or two that begin so, or all of them.
func Suggest(got string, known []string) string {
	near, longer := suggest.Nearest(got, known), beginning(got, known)
	switch {
	case near != "":
		return "did you mean " + strconv.Quote(near) + "?"
	case len(longer) == 1:
		return "did you mean " + strconv.Quote(longer[0]) + "?"
	case len(longer) == 2:
		return "did you mean " + strconv.Quote(longer[0]) + " or " + strconv.Quote(longer[1]) + "?"
	}
	if longer := beginning(got, known); len(longer) == 2 {
		return fmt.Sprintf("did you mean %q or %q?", longer[0], longer[1])
	}
	return "known are " + join(known)
}

func beginning(prefix string, names []string) []string {
	var out []string
	for _, n := range names {
		if prefix != "" && strings.HasPrefix(n, strings.ToLower(prefix)) {
			out = append(out, n)
		}
	}
	return out
}
