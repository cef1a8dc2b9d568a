package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

// runFlags are the flags of run. A flag that is given goes before the file.
type runFlags struct {
	file string

	url, path, method, body string
	headers                 []string
	dialect                 config.Dialect
	terminal, failure       string
	endless                 string
	sentinel, sha256        string
	length                  config.Size
	plainPath, plainBody    string
	order, owner            string
	noFollow                bool
	prompts                 string
	tls                     harness.TLS
	resolve                 []string
	longest, silence        config.Duration
	direct                  string
	logs                    []string
	stack                   string
	workers, replicas       config.Count

	streams, count  config.Count
	rate            config.Rate
	ramp, duration  config.Duration
	arrivals        config.Arrivals
	stages          config.Stages
	turns           config.Count
	think           config.Think
	requests        string
	loadWorkers     config.Count
	fleet           string
	dryRun          bool
	slowdown        config.Factor
	first, gap      config.Limit
	progress, total config.Limit
	slo             string

	assigned   []string
	scenarios  []string
	sabotage   string
	seed       uint64
	strict     bool
	allowHosts []string

	out            string
	export         exportFlag
	team           team
	quiet, noColor bool
	asJSON         bool
	allowUnable    bool
	remember       historyEntry
	require        []string
	suite          suiteFlags
}

// register adds the flags of run that say what is tested, and how.
func (f *runFlags) register(cmd *cobra.Command) {
	f.registerRuns(cmd)
	f.export.register(cmd.Flags())
}

// registerRuns adds those of them that hold for each of several runs too.
func (f *runFlags) registerRuns(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.registerApp(fs)
	f.registerLoad(fs)
	fs.StringArrayVar(&f.assigned, "set", nil, "set a number of streamproof.yaml or of the scenarios, `KEY=VALUE` "+
		"such as app.memory=128MiB; takes the names of 'streamproof search --over'; repeatable")
	fs.StringSliceVarP(&f.scenarios, "scenario", "s", nil,
		"run the scenario `ID`, standard or all; repeatable or comma-separated")
	fs.StringSliceVar(&f.require, "require", nil, "the scenario `ID` must be judged: not applicable then counts as "+
		"inconclusive; repeatable or comma-separated")
	fs.BoolVar(&f.strict, "strict", false, "also fail on cuts that clients can notice")
	f.registerTrial(fs)
	f.registerOutput(fs)
}

// registerApp adds what says which app is asked for what.
func (f *runFlags) registerApp(fs *pflag.FlagSet) {
	fs.StringVarP(&f.file, "file", "f", "", "read streamproof.yaml from `FILE`; flags override it")

	fs.StringVar(&f.url, "url", "", "test the server that runs at `URL`; --url may be left out. Unless scenarios are "+
		"chosen, control runs, and with --direct also direct")
	fs.StringVar(&f.direct, "direct", "", "`URL` of the app itself, behind the proxy that --url names: the scenario "+
		"direct sends its streams there")
	fs.StringVar(&f.path, "path", "", "request this `PATH` and query instead of the URL's")
	fs.StringVarP(&f.method, "method", "m", "", "use this HTTP `METHOD` (default GET, or POST with a body)")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "send the header `'K: V'`, repeatable; V may contain "+
		"${VARIABLES} and the placeholders {nonce}, {seq}, {prompt}")
	fs.StringVarP(&f.body, "body", "d", "", "send this body, `TEXT|@FILE`, by POST; JSON is sent as application/json; "+
		"${VARIABLES} and placeholders as in --header")
	fs.StringVar(&f.prompts, "prompts", "",
		"read the prompts for {prompt} from `FILE`, one per line; streams take them in turn")
	fs.Var((*dialectName)(&f.dialect), "dialect", "read answers as `NAME` (default: recognised from one request): "+
		strings.Join(config.Dialects(), ", "))
	fs.StringVar(&f.terminal, "terminal", "", "`EXPR` matches the last event of a complete response, see above")
	fs.StringVar(&f.failure, "error", "",
		"`EXPR` matches events that report a failure, in addition to the dialect's own errors")
	fs.StringVar(&f.endless, "endless", "", "the response is a feed that never ends: `TIME,N` reads each stream for "+
		"TIME and expects at least N events, such as 10s,5")
	fs.StringVar(&f.sentinel, "sentinel", "", "a complete text response ends with `TEXT`")
	fs.Var(&f.length, "length", "a complete text response has this `SIZE`")
	fs.StringVar(&f.sha256, "sha256", "", "a complete text response has the SHA-256 `HEX`")
	fs.StringVar(&f.plainPath, "plain-path", "", "`PATH` that returns the same answer in one piece, not streamed")
	fs.StringVar(&f.plainBody, "plain-body", "", "body, `TEXT|@FILE`, whose response is the same answer in one piece")
	fs.StringVar(&f.order, "order", "", "events carry a number at `PLACE`, such as .seq: finds lost, repeated and "+
		"reordered events, see above")
	fs.StringVar(&f.owner, "owner", "",
		"events echo the request's ID at `PLACE`: finds content of other streams, see above")
	fs.BoolVar(&f.noFollow, "no-follow", false, "do not follow redirects: treat one as the response (default: follow up "+
		"to 10, to hosts that may be tested)")
	fs.BoolVar(&f.tls.Insecure, "insecure", false, "https: accept any certificate")
	fs.StringVar(&f.tls.CACert, "cacert", "",
		"https: trust the certificate authorities in `FILE` (PEM) instead of the system's")
	fs.StringVar(&f.tls.Cert, "cert", "", "https: client certificate `FILE` (PEM)")
	fs.StringVar(&f.tls.Key, "key", "",
		"https: private key `FILE` of the client certificate (default: in the file of --cert)")
	fs.StringVar(&f.tls.ServerName, "sni", "",
		"https: request and verify the server name `NAME` instead of the URL's host")
	fs.StringArrayVar(&f.resolve, "resolve", nil, "connect to ADDRESS for HOST, as in `HOST:PORT:ADDRESS`, repeatable")
	fs.Var(&f.longest, "longest",
		"your longest stream lasts `TIME`: warns before the load of layers whose timeouts are shorter")
	fs.Var(&f.silence, "silence",
		"your streams may be silent for `TIME`: warns before the load of layers whose idle timeouts are shorter")
	fs.StringArrayVar(&f.logs, "log", nil, "also read the log `[KIND=]PATH`, repeatable; without KIND it is recognised "+
		"by its content; kinds: "+strings.Join(config.LogKinds[1:], ", "))
	fs.StringVar(&f.stack, "stack", "", "run on `STACK`: local (this machine's processes) or docker (default: what the "+
		"app needs)")
	fs.Var(&f.workers, "workers", "run the built-in server with `N` worker processes")
	fs.Var(&f.replicas, "replicas", "run `N` instances of the app")

}

// describe gives flags the meaning that they have for this command. Pairs are a name and
// its text.
func describe(fs *pflag.FlagSet, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		fs.Lookup(pairs[i]).Usage = pairs[i+1]
	}
}

func (f *runFlags) registerLoad(fs *pflag.FlagSet) {
	fs.VarP(&f.streams, "streams", "c", "keep `N` streams open at a time (default 20)")
	fs.VarP(&f.count, "count", "n", "send `N` streams in all (default: as many as --streams)")
	fs.Var(&f.rate, "rate", "start streams at `RATE`, such as 20/s; needs --duration")
	fs.Var(&f.ramp, "ramp", "start the first streams over this `TIME` (default: up to 2s, at most a quarter of an "+
		"answer; 0s: all at once)")
	fs.Var(&f.duration, "duration", "keep starting streams for this `TIME` (default: each is sent once)")
	fs.Var(&f.arrivals, "arrivals", "how the streams of a rate follow each other, `PROCESS`: constant, poisson, "+
		"gamma(CV), burst(N), or trace: at the times of --load-prompts")
	fs.Var(&f.stages, "stage", "ramp the load to TARGET within TIME, `TIME:TARGET`, as in k6: 30s:50 for 50 streams at "+
		"a time, or 30s:20/s; repeatable")
	fs.Var(&f.turns, "turns", "each client has a session of `N` turns: after a complete response it sends the next one, "+
		"whose body may contain {turn}, {answer} (the text of the last response) and {answer.1} (of turn 1); --streams, "+
		"--count and --rate then count sessions (default: "+
		"as many as the lines of --load-prompts have)")
	fs.Var(&f.think, "think", "between two turns a client waits for `TIME`, or for a time drawn by the seed, "+
		"such as 1s..5s")
	fs.Var(&f.loadWorkers, "load-workers", "send the load from `N` processes on this machine, each its share of the "+
		"streams, for more streams than one process may open (default 1)")
	fs.StringVar(&f.fleet, "fleet", "", "send the load from `WHERE`, not from this machine: kubernetes starts "+
		"as many pods as --load-workers says; more settings are under fleet in streamproof.yaml")
	fs.StringVar(&f.requests, "load-prompts", "", "each stream sends a body from `FILE`, one JSON body per line, "+
		"assigned by the seed; a line may have a timestamp in ms")
}

// registerTrial adds how streams are chosen and judged.
func (f *runFlags) registerTrial(fs *pflag.FlagSet) {
	fs.Var(&f.first, "first-event",
		"a stream is stalled if no content event arrives within `TIME` of its request (default 1m0s)")
	fs.Var(&f.gap, "gap-limit", "a stream is stalled if no byte arrives for `TIME`; also the default limit for late and "+
		"gappy, see above (default 10s)")
	fs.Var(&f.progress, "progress-limit", "a stream is stalled if only heartbeats or parts of an event arrive for "+
		"`TIME` (default: no limit but --total-limit)")
	fs.Var(&f.total, "total-limit", "end each stream after `TIME` (default 5m0s)")
	fs.StringVar(&f.slo, "slo", "", "the streams under load must meet `OBJECTIVES`, such as 'first_event p95 < 1s, gap "+
		"p99 < 500ms, complete >= 99.9%'")
	fs.Var(&f.slowdown, "slowdown", "under load a stream may wait `FACTOR` times as long as one alone, and in any case "+
		"1s longer; or off (default 5)")
	fs.StringVar(&f.sabotage, "sabotage", "", "break the built-in server in the way `NAME` (see 'streamproof "+
		"scenarios --sabotages')")
	fs.Uint64Var(&f.seed, "seed", 0,
		"seed for choosing which streams are hit and where, `S` (default: random, and printed)")
	fs.StringArrayVar(&f.allowHosts, "allow-host", nil,
		"also send load to `HOST`; without it only this machine is tested; repeatable")
}

// registerHistory adds what is remembered of the run.
func (f *runFlags) registerHistory(fs *pflag.FlagSet) {
	fs.StringVar(&f.remember.file, "history", "", "add the results of the run to the history `FILE`, such as "+
		"runs/history.db (see 'streamproof history')")
	fs.StringVar(&f.remember.version, "app-version", "", "with --history: the version of the app, `NAME`")
	fs.StringVar(&f.remember.commit, "commit", "", "with --history: the app's commit, `ID` (default: what CI or git say)")
	fs.StringVar(&f.remember.branch, "branch", "",
		"with --history: the app's branch, `NAME` (default: what CI or git say)")
}

func (f *runFlags) registerOutput(fs *pflag.FlagSet) {
	fs.StringVarP(&f.out, "out", "o", "", "write the run into `DIR` (default runs/TIME-SEED)")
	fs.BoolVar(&f.allowUnable, "allow-unable", false, "leave scenarios that this machine cannot run out of the "+
		"verdict")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print the verdict and the report's path only")
	fs.BoolVar(&f.noColor, "no-color", false, "print without colours")
	fs.BoolVar(&f.asJSON, "json", false,
		"print verdict.json on stdout instead of the report; everything else goes to stderr")
}

// endless reads TIME,N.
func endless(s string) (e harness.Endless, err error) {
	last, events, ok := strings.Cut(s, ",")
	if e.For, err = time.ParseDuration(strings.TrimSpace(last)); err == nil && ok {
		e.Events, err = strconv.Atoi(strings.TrimSpace(events))
	}
	if err != nil || e.For <= 0 || e.Events < 0 {
		return e, &harness.UsageError{Place: "--endless", Problem: "no time and number of events in " + strconv.Quote(s),
			Fix: "write --endless 10s,5"}
	}
	e.Events = max(e.Events, 1)
	return e, nil
}

// header splits 'K: V'.
func header(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, ":")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return "", "", &harness.UsageError{Place: "--header", Problem: "no name and value in what was given",
			Fix: "write --header 'Name: value'"}
	}
	return name, strings.TrimSpace(value), nil
}

// body reads TEXT or @FILE.
func body(flag, s string) (string, error) {
	path, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", &harness.UsageError{Place: flag, Problem: "cannot read " + path + ": " + harness.Reason(err),
			Fix: "check the path after @"}
	}
	if len(b) == 0 {
		return "", &harness.UsageError{Place: flag, Problem: path + " is empty",
			Fix: "write the body into it; a request without one is sent with --method POST alone"}
	}
	return string(b), nil
}

// prompts reads a file of prompts, one a line; empty lines are none.
func prompts(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &harness.UsageError{Place: "stream.prompts", Problem: "cannot read " + path + ": " + harness.Reason(err),
			Fix: "check the path"}
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		return nil, &harness.UsageError{Place: "stream.prompts", Problem: path + " has no prompt", Fix: "write one a line"}
	}
	return list, nil
}

// logs reads KIND=PATH, and a PATH whose kind its content shows.
func logs(list []string, into *[]harness.LogFile) error {
	for _, l := range list {
		kind, path, ok := strings.Cut(l, "=")
		if !ok || strings.ContainsAny(kind, "/.") {
			kind, path = config.AutoLog, l
		}
		if path == "" {
			return &harness.UsageError{Place: "--log", Problem: "no path in " + l,
				Fix: "write --log /var/log/nginx/error.log, or --log app=app.log"}
		}
		if err := config.LogKind(kind); err != nil {
			return &harness.UsageError{Place: "--log", Problem: err.Problem, Fix: err.Fix}
		}
		*into = append(*into, harness.LogFile{Kind: kind, Path: path})
	}
	return nil
}

// A dialectName is a flag that takes any name: it may be that of a dialect of the file's
// own, which is read later. [config.File.Named] says whether it is known.
type dialectName config.Dialect

func (d *dialectName) String() string { return string(*d) }
func (d *dialectName) Type() string   { return (*config.Dialect)(d).Type() }

func (d *dialectName) Set(s string) error {
	*d = dialectName(s)
	return nil
}
