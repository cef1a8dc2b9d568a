package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// An arm is one way to read the load. It is a reader of our own, by name; that
// reader through a hop, whose costs are then the arm's; or the product, by its
// arguments.
type arm struct {
	name    string
	key     string // names it for -only
	streams int
	limits  targets

	reader string // "floor", "vegeta"
	hop    string // "relay", "toxiproxy"
	args   []string
	fault  string // "type: latency, …": share of the streams is in its way
	share  string
	when   int  // events of every victim when the fault is to strike; 0 for a fault that needs none
	acted  bool // how soon it strikes then is a figure of its own
	slow   bool

	opt  options
	load load
}

// Names of arms that are compared with themselves.
const (
	usual = "`run --url …`"
	crowd = "`run --url …`, slower events"
	chain = "`run --url …` through a strike and a delay"
)

// arms are the rows of the table, in their order: floors before what is measured
// by them.
func (o options) arms() (list []arm) {
	for _, n := range o.streams {
		list = append(list, o.attached(n)...)
	}
	for _, n := range o.crowd {
		list = append(list,
			arm{key: "floor", name: "bare epoll reader, slower events", reader: "floor", streams: n, slow: true},
			arm{key: "crowd", name: crowd, streams: n, slow: true, limits: targets{arrival: 50}})
	}
	for _, n := range o.through {
		if !slices.Contains(o.streams, n) {
			list = append(list, arm{key: "floor", name: "bare epoll reader", reader: "floor", streams: n})
		}
		list = append(list, o.chained(n)...)
	}
	for i := range list {
		list[i].opt, list[i].load = o, o.load
		if list[i].slow {
			list[i].load = o.load.slow()
		}
		list[i].load.Streams = list[i].streams
	}
	return o.only.among(list)
}

// An only is a choice of arms by their keys; nil is all.
type only []string

// String implements flag.Value.
func (o *only) String() string { return strings.Join(*o, ",") }

// Set implements flag.Value.
func (o *only) Set(text string) error {
	*o = nil
	for key := range strings.SplitSeq(text, ",") {
		if key = strings.TrimSpace(key); !slices.Contains(keys(), key) {
			return fmt.Errorf("there is no arm %q, only %s", key, strings.Join(keys(), ", "))
		}
		*o = append(*o, key)
	}
	return nil
}

// keys are those of all arms, each once.
func keys() (all []string) {
	for _, a := range (options{streams: sizes{1}, through: sizes{2}, crowd: sizes{1}}).arms() {
		if !slices.Contains(all, a.key) {
			all = append(all, a.key)
		}
	}
	return all
}

// among returns the chosen arms of a list, each behind the floor of its load: a cost
// without its floor says little.
func (o only) among(list []arm) (chosen []arm) {
	if o == nil {
		return list
	}
	loads := map[load]bool{}
	for _, a := range list {
		if slices.Contains(o, a.key) {
			loads[a.load] = true
		}
	}
	for _, a := range list {
		if slices.Contains(o, a.key) || a.reader == "floor" && loads[a.load] {
			chosen = append(chosen, a)
		}
	}
	return chosen
}

// attached are the arms that reach the server directly.
func (o options) attached(n int) []arm {
	limits := targets{ratio: 1.2, memory: 8}
	return []arm{
		{key: "floor", name: "bare epoll reader", reader: "floor", streams: n},
		{key: "vegeta", name: "plain Vegeta", reader: "vegeta", streams: n},
		{key: "direct", name: "`run --url … --scenario direct`", streams: n, limits: limits,
			args: []string{"--scenario", "direct"}},
		{key: "run", name: usual, streams: n, limits: limits},
		{key: "tenth", name: "`run --url …`, a tenth through a delay", streams: n, fault: o.seenDelay(), share: "10%",
			when: o.load.Events / 5, acted: true},
	}
}

// chained are the arms with something in the way.
func (o options) chained(n int) []arm {
	limits := targets{ratio: 2.5, memory: 30, gap: 1}
	return []arm{
		{key: "relay", name: "the relay alone, the reader behind it", streams: n, hop: "relay"},
		{key: "toxiproxy", name: "toxiproxy alone, the reader behind it", streams: n, hop: "toxiproxy"},
		{key: "strike", name: "`run --url …` through a strike", streams: n, limits: limits, fault: strike,
			share: "100%"},
		{key: "delay", name: "`run --url …` through a delay", streams: n, limits: limits, fault: delay, share: "100%",
			when: 1},
		{key: "chain", name: chain, streams: n, limits: limits, fault: "all: [{" + strike + "}, {" + delay + "}]",
			share: "100%", when: 1},
		{key: "toxic", name: "`run --url …` through relay and toxiproxy", streams: n, limits: limits, fault: toxic,
			share: "100%", when: 1},
	}
}

// What has every stream go through a link of its own: a strike and a delay are the
// relay's, which has something to do once, for 1 µs, and to everything, by 1 ms;
// toxiproxy stands behind it for what delays requests, from the first event on: a fault
// that strikes before any stream is in its body proves nothing.
const (
	throughFile = "through.yaml"

	strike = "type: hold-at, link: edge, event: 1, delay: 1us"
	delay  = "type: latency, link: edge, delay: 1ms"
	toxic  = "type: slow-start, link: edge, delay: 20ms"
)

// seenDelay is a delay whose victims are silent for longer than any stream is between two
// events: without that it cannot be told from what the streams beside them do, and the
// verdict is inconclusive.
func (o options) seenDelay() string {
	return fmt.Sprintf("type: latency, link: edge, delay: %v", o.load.Gap*5/2)
}

// through is a scenario that puts a share of the streams behind the edge link, for a
// fault.
const through = `define:
  - id: through
    extends: control
    edge: {form: none}
    share: %s
    fault: {%s}
`

// scenario is through for the fault of the arm.
func (a arm) scenario() []byte {
	b := fmt.Appendf(nil, through, a.share, a.fault)
	if a.when > 0 {
		b = fmt.Appendf(b, "    when: {events: %d}\n", a.when)
	}
	return b
}

// reader is one of our own readers in a process of its own.
func reader(ctx context.Context, name, addr string, l load) *exec.Cmd {
	return part(ctx, name, "-addr", addr, "-streams", strconv.Itoa(l.Streams), "-events", strconv.Itoa(l.Events),
		"-gap", l.Gap.String(), "-ramp", l.Ramp.String())
}

// product is the built binary, which leaves a run in dir.
func (a arm) product(ctx context.Context, s *server, l load, dir string) *exec.Cmd {
	args := append([]string{"run", "--url", s.url(l), "--dialect", "openai-chat", "--streams", strconv.Itoa(l.Streams),
		"--ramp", l.Ramp.String(), "--out", dir, "--quiet", "--no-color"}, a.args...)
	c := exec.CommandContext(ctx, a.opt.binary, args...)
	c.Stderr = os.Stderr
	return c
}

// measure runs the arm with one stream, and then with all. The one is short before a
// reader of our own, and as long as the others before the product, which does much by
// the clock: it samples the machine, looks at sockets, sends streams before and after.
func (a arm) measure(ctx context.Context, s *server) (r row, err error) {
	if a.fault != "" {
		file := filepath.Join(a.opt.work, throughFile)
		if err := os.WriteFile(file, a.scenario(), 0o600); err != nil {
			return r, err
		}
		a.args = []string{"-f", file}
	}
	one := a.load.one()
	if a.reader != "" || a.hop != "" {
		one = a.load.short()
	}
	_, base, _, err := a.once(ctx, s, one)
	if err != nil {
		return r, err
	}
	seen, k, verdict, err := a.once(ctx, s, a.load)
	return row{name: a.name, load: a.load, cost: k, base: base, seen: seen, verdict: verdict, limits: a.limits}, err
}

func (a arm) once(ctx context.Context, s *server, l load) (o observed, k cost, verdict string, err error) {
	switch {
	case a.reader != "":
		o, k, err = bare(ctx, a.reader, s.addr, l)
	case a.hop != "":
		o, k, err = a.throughHop(ctx, s, l)
	default:
		return a.judged(ctx, s, l)
	}
	return o, k, "–", err
}

// judged runs the product. Each of its verdicts is a result; an error is not.
func (a arm) judged(ctx context.Context, s *server, l load) (o observed, k cost, verdict string, err error) {
	dir, err := os.MkdirTemp(a.opt.work, "run-")
	if err != nil {
		return o, k, "", err
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "run")
	out, k, err := output(a.product(ctx, s, l, dir))
	code, exited := exitOf(err)
	if !exited || code > 2 {
		return o, k, "", fmt.Errorf("%w: %s", err, out)
	}
	when := 0
	if a.acted {
		when = a.when
	}
	o, err = readRun(dir, when)
	return o, k, verdictOf(code), err
}
