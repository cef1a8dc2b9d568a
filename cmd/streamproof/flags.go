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
	requests        string
	slowdown        config.Factor
	first, gap      config.Limit
	progress, total config.Limit
	slo             string

	scenarios  []string
	sabotage   string
	seed       uint64
	strict     bool
	allowHosts []string

	out            string
	export         bool
	quiet, noColor bool
	asJSON         bool
	allowUnable    bool
	remember       historyEntry
	require        []string
}

func (f *runFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.registerApp(fs)
	f.registerLoad(fs)
	fs.StringSliceVarP(&f.scenarios, "scenario", "s", nil,
		"run the scenario `ID`, standard or all; repeatable or comma-separated")
	fs.StringSliceVar(&f.require, "require", nil, "the scenario `ID` must be judged: not applicable then counts as "+
		"inconclusive; repeatable or comma-separated")
	fs.BoolVar(&f.strict, "strict", false, "also refuse cuts that clients can notice")
	f.registerTrial(fs)
	f.registerOutput(fs)
}

// registerApp adds what says which app is asked for what.
func (f *runFlags) registerApp(fs *pflag.FlagSet) {
	fs.StringVarP(&f.file, "file", "f", "", "read streamproof.yaml from `FILE`; flags override it")

	fs.StringVar(&f.url, "url", "", "test the server that runs at `URL`; may also stand without --url. Runs control "+
		"unless told otherwise, with --direct the scenario direct before it")
	fs.StringVar(&f.direct, "direct", "", "the app itself listens at `URL`, behind the proxy that --url names: both are "+
		"asked and compared")
	fs.StringVar(&f.path, "path", "", "request this `PATH` and query instead of the URL's")
	fs.StringVarP(&f.method, "method", "m", "", "use this HTTP `METHOD` (default GET, or POST with a body)")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "send the header `'K: V'`, repeatable; V may name ${VARIABLES} "+
		"and the places {nonce}, {seq}, {prompt}")
	fs.StringVarP(&f.body, "body", "d", "", "send this body, `TEXT|@FILE`, by POST; JSON is sent as application/json; "+
		"it may name the same")
	fs.StringVar(&f.prompts, "prompts", "",
		"take the prompts for {prompt} from `FILE`, one a line, for the streams in turn")
	fs.Var((*dialectName)(&f.dialect), "dialect", "read answers as `NAME` (default: recognised from one request): "+
		strings.Join(config.Dialects(), ", "))
	fs.StringVar(&f.terminal, "terminal", "", "the last event of a complete response meets `EXPR`, see above")
	fs.StringVar(&f.failure, "error", "", "an event that says that the answer failed meets `EXPR`, beside the dialect's "+
		"own errors")
	fs.StringVar(&f.endless, "endless", "", "the answer is a feed without an end: read each for a time, and ask for "+
		"`TIME,N` events in it, such as 10s,5")
	fs.StringVar(&f.sentinel, "sentinel", "", "a complete text response ends with `TEXT`")
	fs.Var(&f.length, "length", "a complete text response has this `SIZE`")
	fs.StringVar(&f.sha256, "sha256", "", "a complete text response has the SHA-256 `HEX`")
	fs.StringVar(&f.plainPath, "plain-path", "", "`PATH` that asks for the same answer in one piece, not streamed")
	fs.StringVar(&f.plainBody, "plain-body", "", "body, `TEXT|@FILE`, that asks for the same answer in one piece")
	fs.StringVar(&f.order, "order", "", "events have a number at `PLACE`, such as .seq: lost, repeated and reordered "+
		"ones are proved, see above")
	fs.StringVar(&f.owner, "owner", "", "events echo the request's ID at `PLACE`: content of other streams is proved, "+
		"see above")
	fs.BoolVar(&f.noFollow, "no-follow", false, "take a redirect for the answer (default: follow up to 10, to hosts "+
		"that load may go to)")
	fs.BoolVar(&f.tls.Insecure, "insecure", false, "https: accept any certificate")
	fs.StringVar(&f.tls.CACert, "cacert", "", "https: trust the authorities in `FILE` (PEM) instead of the system's")
	fs.StringVar(&f.tls.Cert, "cert", "", "https: client certificate `FILE` (PEM)")
	fs.StringVar(&f.tls.Key, "key", "", "https: its private key `FILE` (default: in the file of --cert)")
	fs.StringVar(&f.tls.ServerName, "sni", "", "https: ask for, and expect, the server name `NAME` instead of the "+
		"URL's host")
	fs.StringArrayVar(&f.resolve, "resolve", nil, "connect to ADDRESS for HOST, as in `HOST:PORT:ADDRESS`, repeatable")
	fs.Var(&f.longest, "longest",
		"the longest stream lasts this `TIME`: layers with shorter timers are named before any load")
	fs.Var(&f.silence, "silence", "streams may be silent for this `TIME`, likewise")
	fs.StringArrayVar(&f.logs, "log", nil, "read the log `[KIND=]PATH` too, repeatable; without KIND its content tells; "+
		"kinds: "+strings.Join(config.LogKinds[1:], ", "))
	fs.StringVar(&f.stack, "stack", "", "run on `STACK`: local (this machine's processes) or docker (default: what the "+
		"app needs)")
	fs.Var(&f.workers, "workers", "run the built-in origin with `N` worker processes")
	fs.Var(&f.replicas, "replicas", "run `N` instances of the app")

}

func (f *runFlags) registerLoad(fs *pflag.FlagSet) {
	fs.VarP(&f.streams, "streams", "c", "keep `N` streams open at a time (default 20)")
	fs.VarP(&f.count, "count", "n", "send `N` streams in all (default: as many as --streams)")
	fs.Var(&f.rate, "rate", "start streams at `RATE`, such as 20/s; needs --duration")
	fs.Var(&f.ramp, "ramp", "start the first streams over this `TIME` (default: up to 2s, at most a quarter of an "+
		"answer; 0s: all at once)")
	fs.Var(&f.duration, "duration", "go on starting streams for this `TIME` (default: each is sent once)")
	fs.Var(&f.arrivals, "arrivals", "how the streams of a rate follow each other, `PROCESS`: constant, poisson, "+
		"gamma(CV), burst(N), or trace: at the times of --load-prompts")
	fs.Var(&f.stages, "stage", "move the load to a target, `TIME:TARGET`, as in k6: 30s:50 streams at a time, or "+
		"30s:20/s; repeatable")
	fs.StringVar(&f.requests, "load-prompts", "", "each stream sends a body of `FILE`, one JSON body a line, dealt out "+
		"by the seed; a line may have a timestamp in ms")
}

// registerTrial adds how streams are chosen and judged.
func (f *runFlags) registerTrial(fs *pflag.FlagSet) {
	fs.Var(&f.first, "first-event", "a stream without a content event for this `TIME` after its request is stalled "+
		"(default 1m0s)")
	fs.Var(&f.gap, "gap-limit", "a stream without a byte for this `TIME` is stalled; also the bound of late and gappy, "+
		"see above (default 10s)")
	fs.Var(&f.progress, "progress-limit", "a stream that brings only heartbeats or parts of an event for this `TIME` is "+
		"stalled (default: no limit but --total-limit)")
	fs.Var(&f.total, "total-limit", "a stream is ended when it is this `TIME` old (default 5m0s)")
	fs.StringVar(&f.slo, "slo", "", "the streams under load must meet `OBJECTIVES`, such as 'first_event p95 < 1s, gap "+
		"p99 < 500ms, complete >= 99.9%'")
	fs.Var(&f.slowdown, "slowdown", "streams may wait `FACTOR` times as long under load as one alone, and always 1s "+
		"longer; or off (default 5)")
	fs.StringVar(&f.sabotage, "sabotage", "", "break the built-in origin as `NAME` says (see 'streamproof scenarios "+
		"--sabotages')")
	fs.Uint64Var(&f.seed, "seed", 0,
		"seed for choosing which streams are hit and where, `S` (default: random, and printed)")
	fs.StringArrayVar(&f.allowHosts, "allow-host", nil, "also allow load on `HOST`; without it only this machine is "+
		"tested; repeatable")
}

// registerHistory adds what is remembered of the run.
func (f *runFlags) registerHistory(fs *pflag.FlagSet) {
	fs.StringVar(&f.remember.file, "history", "", "add what the run came to to the history `FILE`, such as runs/history.db (see 'streamproof history')")
	fs.StringVar(&f.remember.version, "app-version", "", "with --history: the version of the app, `NAME`")
	fs.StringVar(&f.remember.commit, "commit", "", "with --history: the app's commit, `ID` (default: what CI or git say)")
	fs.StringVar(&f.remember.branch, "branch", "", "with --history: its branch, `NAME` (default: likewise)")
}

func (f *runFlags) registerOutput(fs *pflag.FlagSet) {
	fs.StringVarP(&f.out, "out", "o", "", "write the run into `DIR` (default runs/TIME-SEED)")
	fs.BoolVar(&f.export, "export", false, "also write streams.jsonl, one line per stream")
	fs.BoolVar(&f.allowUnable, "allow-unable", false, "ignore scenarios that this machine cannot run when setting the "+
		"exit code")
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
