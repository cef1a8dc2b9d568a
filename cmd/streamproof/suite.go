package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/suite"
	"github.com/streamproof/streamproof/scenarios"
)

// suiteFlags choose what of a suite is played, and what a failure comes to.
type suiteFlags struct {
	name          string
	tags, without []string
	list          bool
	shard         config.Shard
	retries       config.Retries
	flaky         config.Flaky
}

const suitesHelp = `A suite is a list of scenarios: smoke (at most a minute on the built-in server),
standard (at most 5 minutes), nightly (every scenario that can run here, with
timeouts at their real length), or one of the file's (suites:). --list shows what would
run, how long it took before, and starts nothing. Suites add their results to
runs/history.db, see --history; --history '' adds them nowhere.

With --retries N a scenario that fails or is inconclusive runs again, up to N times.
One that failed and then passes is flaky, which fails the run (--flaky pass: it passes,
and is shown). A quarantine (quarantine: in the file) excuses a scenario until a date.`

// registerSuite adds how scenarios are chosen beyond their names.
func (f *runFlags) registerSuite(fs *pflag.FlagSet) {
	s := &f.suite
	fs.StringVar(&s.name, "suite", "", "run the suite `NAME`: smoke, standard, nightly, or one of the file's, see above")
	fs.StringSliceVar(&s.tags, "tag", nil, "only scenarios with the tag `NAME`, such as network; of all scenarios where "+
		"no suite and no scenario is named; repeatable or comma-separated: one of them is enough")
	fs.StringSliceVar(&s.without, "skip-tag", nil, "no scenarios with the tag `NAME`, such as docker; repeatable or "+
		"comma-separated")
	fs.BoolVar(&s.list, "list", false, "print what would be run and how long it took before; start nothing")
	fs.Var(&s.shard, "shard", "run a part of the scenarios, `N/OF` such as 2/4; by the times in the history the parts "+
		"take about equally long")
	fs.Var(&s.retries, "retries", "run a scenario that does not pass again, up to `N` times, at most 10 (default 0)")
	fs.Var(&s.flaky, "flaky", "what a scenario that failed and then passed does to the run, `pass|fail` (default fail)")
}

// tagPrefix marks a tag among the members of a suite.
const tagPrefix = "tag:"

// A chooser finds scenarios by the names of suites, scenarios and tags.
type chooser struct {
	from *config.File
	own  []harness.Scenario
}

// known are all scenarios: the catalogue's and the user's own.
func (c *chooser) known() []harness.Scenario { return append(scenarios.All(), c.own...) }

// names are those that may stand in a suite.
func (c *chooser) names() []string {
	names := append(c.suites(), config.All)
	for _, s := range c.known() {
		names = append(names, s.ID)
	}
	return names
}

func (c *chooser) suites() (names []string) {
	for _, s := range scenarios.Suites() {
		names = append(names, s.Name)
	}
	return append(names, c.from.SuiteNames()...)
}

// check refuses suites of the file that cannot be: with the name of a built-in one or of a
// scenario, without a scenario, with one that is not known, or that contain themselves.
func (c *chooser) check() error {
	for _, name := range c.from.SuiteNames() {
		builtIn := slices.ContainsFunc(scenarios.Suites(), func(s scenarios.Suite) bool { return s.Name == name })
		taken := slices.ContainsFunc(c.known(), func(s harness.Scenario) bool { return s.ID == name })
		if builtIn || taken || name == config.All {
			return c.from.Locate("suites."+name, fmt.Sprintf("there is something called %q already", name),
				"choose another name")
		}
		list, err := c.suite(name, nil)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return c.from.Locate("suites."+name, fmt.Sprintf("the suite %q has no scenario", name), "name some")
		}
	}
	return nil
}

// suite is the list of a suite. within are the suites that led to it.
func (c *chooser) suite(name string, within []string) (list []harness.Scenario, err error) {
	for _, s := range scenarios.Suites() {
		if s.Name == name {
			list = s.List()
			if s.Able { // whatever can be played, the user's own too
				list = append(list, c.own...)
			}
			return list, nil
		}
	}
	for i, member := range c.from.Suites[name] {
		at := fmt.Sprintf("suites.%s[%d]", name, i)
		if len(c.from.Suites[name]) == 1 {
			at = "suites." + name
		}
		of, err := c.member(member, append(within, name), at)
		if err != nil {
			return nil, err
		}
		list = joined(list, of)
	}
	return list, nil
}

// member is what one name in a suite stands for.
func (c *chooser) member(name string, within []string, at string) ([]harness.Scenario, error) {
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		list, err := c.tagged(tag)
		if err != nil {
			return nil, c.from.Locate(at, err.Error(), config.Suggest(tag, c.tags()))
		}
		return list, nil
	}
	if slices.Contains(within, name) {
		return nil, c.from.Locate(at, fmt.Sprintf("the suite %q contains itself", name), "leave it out here")
	}
	if name == config.All {
		return scenarios.All(), nil
	}
	if slices.Contains(c.suites(), name) {
		return c.suite(name, within)
	}
	for _, s := range c.known() {
		if s.ID == name {
			return []harness.Scenario{s}, nil
		}
	}
	return nil, c.from.Locate(at, fmt.Sprintf("unknown scenario %q", name), config.Suggest(name, c.names()))
}

// tagsOf are the tags of a scenario, and what it needs where that is one word: docker, nginx.
func tagsOf(s harness.Scenario) []string {
	tags := scenarios.TagsOf(s)
	for _, n := range needs(s) {
		if !strings.Contains(n, " ") {
			tags = append(tags, n)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// tags are those that some scenario has, sorted.
func (c *chooser) tags() (tags []string) {
	for _, s := range c.known() {
		tags = append(tags, tagsOf(s)...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// tagged are all scenarios with a tag.
func (c *chooser) tagged(tag string) ([]harness.Scenario, error) {
	list := only(c.known(), []string{tag}, nil)
	if len(list) == 0 {
		return nil, fmt.Errorf("no scenario has the tag %q", tag)
	}
	return list, nil
}

// joined is list with those of more that it lacks.
func joined(list, more []harness.Scenario) []harness.Scenario {
	for _, s := range more {
		if !slices.ContainsFunc(list, func(o harness.Scenario) bool { return o.ID == s.ID }) {
			list = append(list, s)
		}
	}
	return list
}

// only keeps the scenarios with one of some tags (none: all), and without others.
func only(list []harness.Scenario, with, without []string) []harness.Scenario {
	return slices.DeleteFunc(slices.Clone(list), func(s harness.Scenario) bool {
		tags := tagsOf(s)
		has := func(t string) bool { return slices.Contains(tags, t) }
		return len(with) > 0 && !slices.ContainsFunc(with, has) || slices.ContainsFunc(without, has)
	})
}

// suited is the list that --suite or --tag names; nil where neither does.
func (in *input) suited(own []harness.Scenario) ([]harness.Scenario, error) {
	c := chooser{in.from, own}
	if err := c.check(); err != nil {
		return nil, err
	}
	s := in.suite
	switch {
	case s.name == "" && len(in.scenarios) == 0 && len(s.tags) > 0:
		return c.known(), nil
	case s.name == "":
		return nil, nil
	case !slices.Contains(c.suites(), s.name):
		return nil, &harness.UsageError{Place: "--suite", Problem: fmt.Sprintf("unknown suite %q", s.name),
			Fix: config.Suggest(s.name, c.suites())}
	}
	list, err := c.suite(s.name, nil)
	if err != nil || len(in.scenarios) == 0 {
		return list, err
	}
	return picked(list, in.scenarios, s.name)
}

// picked are those of a suite that --scenario names beside --suite.
func picked(list []harness.Scenario, ids []string, suite string) (out []harness.Scenario, err error) {
	var has []string
	for _, s := range list {
		if has = append(has, s.ID); slices.Contains(ids, s.ID) {
			out = append(out, s)
		}
	}
	for _, id := range ids {
		if !slices.Contains(has, id) {
			return nil, &harness.UsageError{Place: "--scenario",
				Problem: fmt.Sprintf("the suite %s has no scenario %q", suite, id), Fix: config.Suggest(id, has)}
		}
	}
	return out, nil
}

// narrowed keeps those of list that --tag and --skip-tag leave.
func (in *input) narrowed(list, own []harness.Scenario) ([]harness.Scenario, error) {
	c, s := chooser{in.from, own}, in.suite
	for flag, tags := range map[string][]string{"--tag": s.tags, "--skip-tag": s.without} {
		for _, tag := range tags {
			if _, err := c.tagged(tag); err != nil {
				return nil, &harness.UsageError{Place: flag, Problem: err.Error(), Fix: config.Suggest(tag, c.tags())}
			}
		}
	}
	left := only(list, s.tags, s.without)
	if len(left) == 0 && len(list) > 0 {
		return nil, &harness.UsageError{Place: "--tag", Problem: fmt.Sprintf("none of %s is left",
			plural.Of(len(list), "scenario")), Fix: "see their tags with --list"}
	}
	return left, nil
}

// settled is how verdicts are put together, without the shard.
func (in *input) settled(own []harness.Scenario) (s record.Suite, err error) {
	flaky := cmp.Or(in.suite.flaky, in.from.Flaky, config.FlakyFails)
	s = record.Suite{Name: in.suite.name, Retries: int(in.from.Retries), FlakyPasses: flaky == config.FlakyPasses}
	if in.given.Changed("retries") {
		s.Retries = int(in.suite.retries)
	}
	s.Able = in.from.AllowUnable || slices.ContainsFunc(scenarios.Suites(), func(b scenarios.Suite) bool {
		return b.Able && b.Name == s.Name
	})
	if in.given.Changed("allow-unable") {
		s.Able = in.allowUnable
	}
	c := chooser{in.from, own}
	var ids []string
	for _, sc := range c.known() {
		ids = append(ids, sc.ID)
	}
	s.Quarantine, err = in.from.Quarantined(ids)
	return s, err
}

// A forecast is what a run will play, and how long that took before.
type forecast struct {
	Suite     string             `json:"suite,omitempty"`
	Shard     string             `json:"shard,omitempty"`
	Split     string             `json:"split,omitempty"`
	Seconds   *float64           `json:"estimated_seconds,omitempty"` // of the scenarios that were measured; none: absent
	Measured  int                `json:"measured"`                    // of Scenarios
	Source    string             `json:"source,omitempty"`            // of the times
	Scenarios []forecastScenario `json:"scenarios"`

	budget time.Duration
}

type forecastScenario struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Tags        []string `json:"tags"`
	Needs       []string `json:"needs"`
	Seconds     *float64 `json:"estimated_seconds,omitempty"`
	Quarantined string   `json:"quarantined_until,omitempty"`
}

// planned splits the scenarios of o where a shard is asked for, and says what is left and
// how long it took before.
func (in *input) planned(o *harness.Options) forecast {
	var ids []string
	for _, s := range o.Scenarios {
		ids = append(ids, s.ID)
	}
	times, source := in.times(o)
	f := forecast{Suite: o.Suite.Name, Source: source, Scenarios: []forecastScenario{}}
	if sh := in.suite.shard; sh.Of > 0 {
		parts := suite.Split(ids, times, sh.Of)
		defer func() { o.Repro = in.unsharded(o) }()
		o.Suite.Shard, o.Suite.Shards, o.Suite.All = sh.N, sh.Of, ids
		o.Suite.Split = suite.Fingerprint(parts)
		f.Shard, f.Split = sh.String(), o.Suite.Split
		ids = parts[sh.N-1]
		o.Scenarios = slices.DeleteFunc(o.Scenarios, func(s harness.Scenario) bool { return !slices.Contains(ids, s.ID) })
	}
	e := times.Estimate(ids)
	if f.Measured = e.Known; e.Known > 0 {
		f.Seconds = inSeconds(e.Sum)
	}
	for _, s := range o.Scenarios {
		x := forecastScenario{ID: s.ID, Title: s.Title, Tags: tagsOf(s), Needs: needs(s)}
		if d := times[s.ID]; d > 0 {
			x.Seconds = inSeconds(d)
		}
		if q := o.Suite.Quarantined(s.ID); q != nil {
			x.Quarantined = string(q.Until)
		}
		f.Scenarios = append(f.Scenarios, x)
	}
	for _, b := range scenarios.Suites() {
		if b.Name == f.Suite && f.Shard == "" && o.App.IsOrigin() {
			f.budget = b.Budget
		}
	}
	return f
}

// unsharded is the line that repeats a shard: it names the scenarios, since another split
// may be made by then.
func (in *input) unsharded(o *harness.Options) string {
	var ids []string
	line := repro(in.command(), in.given, o.Dir, "shard", "tag", "skip-tag", "scenario", "suite", "require")
	for _, s := range o.Scenarios {
		if ids = append(ids, s.ID); s.Required {
			line += " --require " + quote(s.ID)
		}
	}
	if o.Suite.Able && !in.given.Changed("allow-unable") { // as the suite had it
		line += " --allow-unable"
	}
	return line + " --scenario " + quote(strings.Join(ids, ","))
}

// splittable refuses more shards than there are scenarios: one of them would prove nothing.
func (in *input) splittable(n int) error {
	if sh := in.suite.shard; sh.Of > n {
		return &harness.UsageError{Place: "--shard", Problem: fmt.Sprintf("%s cannot be split %d ways",
			plural.Of(n, "scenario"), sh.Of), Fix: fmt.Sprintf("ask for at most %d shards", n)}
	}
	return nil
}

// listing prints what would be run. Nothing is asked and nothing is started.
func (in *input) listing(stdout io.Writer) error {
	if in.file != "" {
		f, err := config.Read(in.file)
		if err != nil {
			return err
		}
		in.from = f
	}
	o, err := in.options()
	if err != nil {
		return in.place(err)
	}
	o.Suite = in.chosen
	return in.planned(&o).show(stdout, in.asJSON)
}

func inSeconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// String is the estimate in one line.
func (f forecast) String() string {
	line := plural.Of(len(f.Scenarios), "scenario")
	if f.Suite != "" {
		line = "suite " + f.Suite + ": " + line
	}
	if f.Shard != "" {
		line += fmt.Sprintf(", shard %s, split %s", f.Shard, f.Split)
	}
	switch unknown := len(f.Scenarios) - f.Measured; {
	case len(f.Scenarios) == 0:
		return line + ": nothing is left for this shard"
	case f.Seconds == nil:
		return line + ", no estimate: none was measured before"
	case unknown > 0:
		line += fmt.Sprintf(", about %s for the %d that were measured (%s), %d not measured yet", took(f.Seconds), f.Measured,
			f.Source, unknown)
	default:
		line += fmt.Sprintf(", about %s (%s)", took(f.Seconds), f.Source)
	}
	if f.budget > 0 && *f.Seconds > f.budget.Seconds() {
		line += fmt.Sprintf(", more than the %s that this suite is meant to take", f.budget)
	}
	return line
}

// took is a time of scenarios, to the second.
func took(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return time.Duration(*seconds * float64(time.Second)).Round(time.Second).String()
}

// show prints a forecast.
func (f forecast) show(w io.Writer, asJSON bool) error {
	if asJSON {
		return writeJSON(w, f)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "scenario\ttime\ttags\tneeds")
	for _, s := range f.Scenarios {
		of := s.Needs
		if s.Quarantined != "" {
			of = append(slices.Clone(of), "quarantined until "+s.Quarantined)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", s.ID, took(s.Seconds), strings.Join(s.Tags, " "), dash(strings.Join(of, ", ")))
	}
	_, err := fmt.Fprintln(tw, f.String())
	return errors.Join(err, tw.Flush())
}
