package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A load is what the server is asked for.
type load struct {
	Streams int
	Events  int // a stream
	Gap     time.Duration
	Ramp    time.Duration // over which the streams start
}

// slower is by how much the events of a crowd are: one machine is to serve and to read
// three times the streams.
const slower = 5

// slow is the load with slower events, in the same time.
func (l load) slow() load {
	l.Gap, l.Events = l.Gap*slower, max(2, l.Events/slower)
	return l
}

// short is the load that tells what a process needs by itself.
func (l load) short() load {
	return load{Streams: 1, Events: 3, Gap: min(l.Gap, 20*time.Millisecond), Ramp: 0}
}

// one is the load with one stream.
func (l load) one() load {
	l.Streams, l.Ramp = 1, 0
	return l
}

// path asks the server for the load's stream.
func (l load) path() string {
	return fmt.Sprintf("/v1/chat/completions?events=%d&gap=%v", l.Events, l.Gap)
}

// run is the whole program: one of the parts in a process of its own, or all.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := func() error {
		if len(args) > 0 && parts[args[0]] != nil {
			return parts[args[0]](args[1:], stdout)
		}
		return measureAll(ctx, args, stdout, stderr)
	}()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// parts are the programs that run in processes of their own.
var parts = map[string]func(args []string, stdout io.Writer) error{
	"server": serverPart,
	"floor":  floorPart,
	"vegeta": vegetaPart,

	"relay":     relayPart,
	"toxiproxy": toxiproxyPart,
}

// options are what the user asks for.
type options struct {
	binary  string
	load    load  // of each arm, but for its streams
	streams sizes // of the attached arms
	through sizes // of the arms through hops
	crowd   sizes // of the attached arms whose events are slower, by slower
	only    only  // arms; nil for all
	work    string
}

// sizes are numbers of streams: a flag with commas.
type sizes []int

// String implements flag.Value.
func (s *sizes) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*s), " ", ","), "[]&")
}

// Set implements flag.Value.
func (s *sizes) Set(text string) error {
	*s = nil
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of streams", part)
		}
		*s = append(*s, n)
	}
	slices.Sort(*s)
	return nil
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.binary, "binary", "bin/streamproof", "the built streamproof")
	o.streams, o.through, o.crowd = sizes{5000}, sizes{1000}, sizes{5000, 10000, 15000}
	flags.Var(&o.streams, "streams", "streams at a time; several `numbers` with commas show how costs grow")
	flags.Var(&o.through, "through", "streams through a relay, 5 descriptors each, and through toxiproxy; several "+
		"`numbers` find the knee")
	flags.Var(&o.crowd, "crowd", fmt.Sprintf("streams at a time whose events are %d times slower", slower))
	flags.Var(&o.only, "only", "the `arms` to measure, each beside its floor: "+strings.Join(keys(), ", ")+
		"; all of them without the flag")
	flags.IntVar(&o.load.Events, "events", 100, "events a stream")
	flags.DurationVar(&o.load.Gap, "gap", 100*time.Millisecond, "time between two events of a stream")
	flags.DurationVar(&o.load.Ramp, "ramp", 2*time.Second, "time over which the streams start")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.load.Events < 2 || o.load.Gap <= 0 || o.load.Ramp < 0 {
		return o, errors.New("read flags: gap must be above 0, and events above 1")
	}
	return o, nil
}

// measureAll runs all arms, and prints the table.
func measureAll(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.work, err = os.MkdirTemp("", "streamproof-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	var rows []row
	for _, a := range o.arms() {
		fmt.Fprintf(stderr, "bench: %s, %d streams\n", a.name, a.load.Streams)
		r, err := a.measure(ctx, server)
		if err != nil {
			return fmt.Errorf("measure %s: %w", a.name, err)
		}
		rows = append(rows, r)
	}
	fmt.Fprintf(stdout, "%d events a stream, one each %v; %s/%s, %d cores, load before %s\n\n", o.load.Events, o.load.Gap,
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), server.loadBefore)
	return errors.Join(writeTable(stdout, rows), writeGrowth(stdout, rows), writeArrivals(stdout, rows),
		writeActed(stdout, rows), writeKnee(stdout, rows))
}
