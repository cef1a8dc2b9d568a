package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/streamproof/streamproof/harness/record"
)

// Retries is how often a scenario that does not pass is played again.
type Retries int

// mostRetries is more than tells anything: a scenario that fails nine times of ten needs
// another look, and no other try.
const mostRetries = 10

func (r *Retries) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > mostRetries {
		return badValue(fmt.Sprintf("write a whole number from 0 to %d", mostRetries), "%q is no number of retries", s)
	}
	*r = Retries(n)
	return nil
}

func (r *Retries) String() string { return strconv.Itoa(int(*r)) }
func (r *Retries) Type() string   { return "retries" }

func (r *Retries) UnmarshalYAML(n ast.Node) error { return scalar(n, "a whole number", r.Set) }

func (Retries) JSONSchema() *jsonschema.Schema {
	return whole("0", "10")
}

// Flaky is what a scenario that failed and then passed does to the run: pass, or fail.
type Flaky string

// What [Flaky] may be; "" is fail.
const (
	FlakyFails  Flaky = "fail"
	FlakyPasses Flaky = "pass"
)

func (f *Flaky) Set(s string) error {
	if s != string(FlakyFails) && s != string(FlakyPasses) {
		return badValue("write fail, or pass", "%q does not say what a flaky scenario does to the run", s)
	}
	*f = Flaky(s)
	return nil
}

func (f *Flaky) String() string { return string(*f) }
func (f *Flaky) Type() string   { return "pass|fail" }

func (f *Flaky) UnmarshalYAML(n ast.Node) error { return scalar(n, "pass or fail", f.Set) }

func (Flaky) JSONSchema() *jsonschema.Schema {
	return oneOf([]string{string(FlakyFails), string(FlakyPasses)})
}

// A Shard is one of several parts of a suite, as in "2/4"; the zero one is all of it.
type Shard struct{ N, Of int }

func (s *Shard) Set(text string) error {
	a, b, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(a))
	of, err2 := strconv.Atoi(strings.TrimSpace(b))
	switch {
	case !ok || err != nil || err2 != nil || of < 1:
		return badValue("write it like 2/4 for the second of four", "%q is no shard", text)
	case n < 1 || n > of:
		return badValue(fmt.Sprintf("name one from 1/%d to %d/%d", of, of, of), "there is no shard %d of %d", n, of)
	}
	*s = Shard{n, of}
	return nil
}

func (s *Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.N, s.Of)
}
func (s *Shard) Type() string { return "N/OF" }

// SuiteNames are the suites that the file defines, sorted.
func (f *File) SuiteNames() []string { return slices.Sorted(maps.Keys(f.Suites)) }

// Quarantined are the quarantines of the file. known are the scenarios that there are. The
// error is an *[Error]: one without a day on which it ends would excuse a scenario forever.
func (f *File) Quarantined(known []string) ([]record.Quarantine, error) {
	var list []record.Quarantine
	for i, q := range f.Quarantine {
		at := fmt.Sprintf("quarantine[%d]", i)
		_, err := time.Parse(time.DateOnly, q.Until)
		switch {
		case q.Scenario == "":
			return nil, f.Locate(at, "a quarantine of no scenario", "add scenario: its ID")
		case !slices.Contains(known, q.Scenario):
			return nil, f.Locate(at+".scenario", fmt.Sprintf("unknown scenario %q", q.Scenario), Suggest(q.Scenario, known))
		case strings.TrimSpace(q.Reason) == "":
			return nil, f.Locate(at, "the quarantine of "+q.Scenario+" has no reason", "add reason: why, and who looks after it")
		case q.Until == "":
			return nil, f.Locate(at, "the quarantine of "+q.Scenario+" has no date on which it ends",
				"add until: "+time.Now().UTC().AddDate(0, 0, 14).Format(time.DateOnly))
		case err != nil:
			return nil, f.Locate(at+".until", fmt.Sprintf("%q is no date", q.Until), "write it like 2026-12-31")
		case slices.ContainsFunc(list, func(o record.Quarantine) bool { return o.Scenario == q.Scenario }):
			return nil, f.Locate(at+".scenario", q.Scenario+" is in quarantine already", "keep one of the two")
		}
		list = append(list, record.Quarantine{Scenario: q.Scenario, Reason: q.Reason, Until: record.Day(q.Until)})
	}
	return list, nil
}
