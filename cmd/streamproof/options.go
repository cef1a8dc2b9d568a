package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

// An input is what the user said: flags over a file.
type input struct {
	runFlags
	given *pflag.FlagSet // to tell a flag that was given from its default
	from  *config.File   // without -f an empty one
	// chosen is how verdicts are put together; the zero value for commands that want to
	// know what each single run comes to.
	chosen record.Suite
	peel   bool // diagnose: every hop gets the same small load
	// answers is where a person answers questions, nil for nobody.
	answers io.Reader
}

// command is the name of the command that was given.
func (in *input) command() string {
	if in.peel {
		return "diagnose"
	}
	return "run"
}

// options turns the input into the harness's options. Nothing is started,
// nothing is written.
func (in *input) options() (harness.Options, error) {
	o := in.from.Options()
	var err error
	if err = in.app(&o.App); err != nil {
		return o, err
	}
	if o.Sabotage, err = in.sabotaged(); err != nil {
		return o, err
	}
	if err = in.load(&o); err != nil {
		return o, err
	}
	if in.given.Changed("seed") && in.seed == 0 {
		return o, &harness.UsageError{Place: "--seed", Problem: "0 is not a valid seed",
			Fix: "write a whole number from 1, or leave it out for a random one"}
	}
	o.Seed = cmp.Or(in.seed, o.Seed, uint64(rand.Uint32()))
	override(in, &o.Strict, "strict", in.strict)
	o.AllowHosts = append(slices.Clone(o.AllowHosts), in.allowHosts...)
	name := fmt.Sprintf("%s-%d", time.Now().Format("20060102-150405"), o.Seed)
	o.Dir = cmp.Or(in.out, unused(filepath.Join(runsFolder, name)))
	o.Tool = version()
	o.Trace = in.team.otlp != ""
	o.Repro = repro(in.command(), in.given, o.Dir)
	if in.peel {
		// The file's is meant for the whole chain.
		o.Load = harness.Load{Streams: cmp.Or(int(in.streams), peelStreams),
			Pattern: harness.Pattern{Requests: o.Load.Requests}}
		o.Scenarios = []harness.Scenario{scenarios.Peel(o.App)}
		return o, nil
	}
	if o.Scenarios, err = in.choose(); err == nil {
		o.Scenarios, err = in.required(o.Scenarios)
	}
	if err != nil {
		return o, err
	}
	if err := in.within(&o); err != nil {
		return o, err
	}
	return o, assign(in.assigned, &o)
}

// override sets a value of the file to that of a flag that was given, also to nothing.
func override[T any](in *input, to *T, flag string, value T) {
	if in.given.Changed(flag) {
		*to = value
	}
}

// within keeps the scenarios that tags leave, and says how their verdicts are put together.
func (in *input) within(o *harness.Options) error {
	own, err := in.from.Defined(scenarios.All())
	if err != nil {
		return err
	}
	if o.Scenarios, err = in.narrowed(o.Scenarios, own); err != nil {
		return err
	}
	if err := in.splittable(len(o.Scenarios)); err != nil {
		return err
	}
	in.chosen, err = in.settled(own)
	return err
}

// unused is dir, or a name like it where a run of the same second and the same seed is
// there already.
func unused(dir string) string {
	name := dir
	for n := 2; ; n++ {
		if _, err := os.Stat(filepath.Join(name, "plan.json")); err != nil {
			return name
		}
		name = fmt.Sprintf("%s-%d", dir, n)
	}
}

// app puts the flags over the file's app.
func (in *input) app(a *harness.App) (err error) {
	if in.url != "" {
		in.attach(a)
	}
	s := &a.Stream
	s.Path = cmp.Or(in.path, s.Path)
	s.Method = cmp.Or(in.method, s.Method)
	if in.dialect != "" {
		s.Dialect = string(in.dialect)
		if s.Spec, err = in.from.Named(s.Dialect); err != nil {
			return err
		}
	}
	s.Terminal = cmp.Or(in.terminal, s.Terminal)
	s.Error = cmp.Or(in.failure, s.Error)
	if in.endless != "" {
		if s.Endless, err = endless(in.endless); err != nil {
			return err
		}
	}
	s.Sentinel = cmp.Or(in.sentinel, s.Sentinel)
	s.Length = cmp.Or(int64(in.length), s.Length)
	s.SHA256 = cmp.Or(in.sha256, s.SHA256)
	s.PlainPath = cmp.Or(in.plainPath, s.PlainPath)
	if in.plainBody != "" {
		if s.PlainBody, err = body("--plain-body", in.plainBody); err != nil {
			return err
		}
	}
	s.Order = cmp.Or(in.order, s.Order)
	s.Owner = cmp.Or(in.owner, s.Owner)
	override(in, &s.NoFollow, "no-follow", in.noFollow)
	override(in, &s.Longest, "longest", time.Duration(in.longest))
	override(in, &s.Silence, "silence", time.Duration(in.silence))
	a.Direct = cmp.Or(in.direct, a.Direct)
	a.Stack = cmp.Or(in.stack, a.Stack)
	a.Workers = cmp.Or(int(in.workers), a.Workers)
	a.Replicas = cmp.Or(int(in.replicas), a.Replicas)
	if in.given.Changed("body") {
		if s.Body, err = body("--body", in.body); err != nil {
			return err
		}
		if s.Body == "" { // an empty one is posted, as curl does
			s.Method = cmp.Or(in.method, s.Method, http.MethodPost)
		}
	}
	if s.Headers, err = in.withHeaders(s.Headers); err != nil {
		return err
	}
	if path := cmp.Or(in.prompts, in.from.PromptsFile()); path != "" {
		if s.Prompts, err = prompts(path); err != nil {
			return err
		}
	}
	if err := in.reach(a); err != nil {
		return err
	}
	return logs(in.logs, &a.Logs)
}

// reach puts the flags that say how a server is reached over the file's.
func (in *input) reach(a *harness.App) error {
	t := &a.TLS
	override(in, &t.Insecure, "insecure", in.tls.Insecure)
	t.CACert = cmp.Or(in.tls.CACert, t.CACert)
	if in.tls.Cert != "" {
		t.Cert, t.Key = in.tls.Cert, ""
	}
	t.Key = cmp.Or(in.tls.Key, t.Key)
	t.ServerName = cmp.Or(in.tls.ServerName, t.ServerName)
	for _, r := range append(slices.Clone(in.from.TLS.Resolve), in.resolve...) {
		from, to, err := harness.ParseResolve(r)
		if err != nil {
			return err
		}
		if a.Resolve == nil {
			a.Resolve = map[string]string{}
		}
		a.Resolve[from] = to
	}
	return nil
}

// attach replaces the file's app by a URL. A path in the URL goes before the
// file's.
func (in *input) attach(a *harness.App) {
	a.Image, a.Build, a.Compose, a.Command, a.Kubernetes = "", "", stack.Compose{}, nil, stack.Kubernetes{}
	a.URL = in.url
	if u, err := url.Parse(in.url); err == nil && u.Path != "" && u.Path != "/" {
		a.Stream.Path = ""
	}
}

func (in *input) withHeaders(base map[string]string) (map[string]string, error) {
	all := map[string]string{}
	for k, v := range base {
		all[k] = v
	}
	for _, h := range in.headers {
		name, value, err := header(h)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(all, func(k, _ string) bool { return strings.EqualFold(k, name) })
		all[name] = value
	}
	return all, nil
}

// load puts the flags over the file's load. Asking for one model of load drops
// the other that the file asks for.
func (in *input) load(o *harness.Options) error {
	l := &o.Load
	if in.rate > 0 && in.streams == 0 {
		l.Streams = 0
	}
	if in.streams > 0 && in.rate == 0 {
		l.Rate = 0
	}
	if len(in.stages) > 0 {
		l.Stages = in.stages
	}
	if in.given.Changed("arrivals") {
		l.Arrivals = arrivals.Process(in.arrivals)
	}
	l.Sessions.Turns = cmp.Or(int(in.turns), l.Sessions.Turns)
	if in.given.Changed("think") {
		l.Sessions.Think = harness.Think(in.think)
	}
	if path := cmp.Or(in.requests, in.from.RequestsFile()); path != "" {
		if err := o.UseRequests(path); err != nil {
			return err
		}
	}
	l.Streams = cmp.Or(int(in.streams), l.Streams)
	l.Total = cmp.Or(int(in.count), l.Total)
	l.Rate = cmp.Or(float64(in.rate), l.Rate)
	if in.given.Changed("ramp") {
		l.Ramp = time.Duration(in.ramp)
		l.Together = l.Ramp == 0
	}
	if in.given.Changed("duration") {
		l.Duration = time.Duration(in.duration)
	}
	o.FirstLimit = cmp.Or(time.Duration(in.first), o.FirstLimit)
	o.GapLimit = cmp.Or(time.Duration(in.gap), o.GapLimit)
	o.ProgressLimit = cmp.Or(time.Duration(in.progress), o.ProgressLimit)
	o.Total = cmp.Or(time.Duration(in.total), o.Total)
	o.SLO = cmp.Or(in.slo, o.SLO)
	o.LoadWorkers, o.StartLoadWorker = cmp.Or(int(in.loadWorkers), o.LoadWorkers), scenarios.StartLoadWorker
	if err := in.sentFrom(o); err != nil {
		return err
	}
	o.Thresholds.Slowdown = cmp.Or(float64(in.slowdown), o.Thresholds.Slowdown)
	return nil
}

// kubernetesFleet is what --fleet takes.
const kubernetesFleet = "kubernetes"

// sentFrom says where the load workers run.
func (in *input) sentFrom(o *harness.Options) error {
	workers := &o.Fleet.Kubernetes.Workers
	switch in.fleet {
	case "":
		if in.loadWorkers > 0 && *workers > 0 {
			o.LoadWorkers, *workers = 0, int(in.loadWorkers)
		}
		return nil
	case kubernetesFleet:
		o.LoadWorkers, *workers = 0, cmp.Or(int(in.loadWorkers), *workers, o.LoadWorkers)
		if *workers > 0 {
			return nil
		}
		return &harness.UsageError{Place: "--fleet", Problem: "the number of pods is not given",
			Fix: "add --load-workers N"}
	}
	return &harness.UsageError{Place: "--fleet", Problem: fmt.Sprintf("unknown fleet %q", in.fleet),
		Fix: "write --fleet " + kubernetesFleet + ", or leave it out to send the load from this machine"}
}

// choose finds the scenarios: those named by flag, the one that reveals the
// sabotage, those that the file names or else defines, control for a URL (behind
// direct, where the app itself is named), and otherwise the suite.
func (in *input) choose() ([]harness.Scenario, error) {
	own, err := in.from.Defined(scenarios.All())
	if err != nil {
		return nil, err
	}
	list, err := in.suited(own)
	switch {
	case list != nil || err != nil:
		return list, err
	case len(in.scenarios) > 0:
		return in.lookup(in.scenarios, own)
	case in.sabotage != "":
		return in.revealing(in.sabotage)
	case len(in.from.Scenarios) > 0:
		return in.lookup(in.from.Scenarios, own)
	case len(own) > 0:
		return own, nil
	case in.url != "" || in.from.App.URL != "":
		if in.direct != "" || in.from.App.Direct != "" {
			return []harness.Scenario{scenarios.Direct(), scenarios.Control()}, nil
		}
		return []harness.Scenario{scenarios.Control()}, nil
	}
	return scenarios.Standard(), nil
}

// lookup finds scenarios by ID, the user's own and the catalogue's, each once, in
// the order given.
func (in *input) lookup(ids []string, own []harness.Scenario) ([]harness.Scenario, error) {
	known := append(scenarios.All(), own...)
	var list []harness.Scenario
	add := func(s harness.Scenario) {
		if !slices.ContainsFunc(list, func(t harness.Scenario) bool { return s.ID == t.ID }) {
			list = append(list, s)
		}
	}
	for i, id := range ids {
		if suite := map[string]func() []harness.Scenario{config.Standard: scenarios.Standard,
			config.All: scenarios.All}[id]; suite != nil {
			for _, s := range suite() {
				add(s)
			}
			continue
		}
		k := slices.IndexFunc(known, func(s harness.Scenario) bool { return s.ID == id })
		if k < 0 {
			fix := config.Suggest(id, idsOf(known))
			return nil, &harness.UsageError{Place: fmt.Sprintf("scenarios[%d]", i),
				Problem: fmt.Sprintf("unknown scenario %q", id), Fix: fix}
		}
		add(known[k])
	}
	return list, nil
}

// required marks the scenarios that must be judged, and adds those that nobody
// named otherwise.
func (in *input) required(list []harness.Scenario) ([]harness.Scenario, error) {
	ids := append(slices.Clone(in.from.Require), in.require...)
	if len(ids) == 0 {
		return list, nil
	}
	own, err := in.from.Defined(scenarios.All())
	if err != nil {
		return nil, err
	}
	must, err := in.lookup(ids, own)
	var usage *harness.UsageError
	if errors.As(err, &usage) {
		usage.Place = "require" + strings.TrimPrefix(usage.Place, "scenarios")
	}
	if err != nil {
		return nil, err
	}
	for _, m := range scenarios.Require(must...) {
		i := slices.IndexFunc(list, func(s harness.Scenario) bool { return s.ID == m.ID })
		if i < 0 {
			list = append(list, m)
		} else {
			list[i].Required = true
		}
	}
	return list, nil
}

func idsOf(list []harness.Scenario) []string {
	ids := []string{config.Standard, config.All}
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}
