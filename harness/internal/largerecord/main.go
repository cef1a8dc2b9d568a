// Command largerecord measures what judging a record of many streams costs.
//
//		go run ./harness/internal/largerecord -streams 5000,100000,2000000
//
//	 1. For each number it writes a run folder as a run would: one stream alone, then
//	    a load of short answers, of which 1 in 600 goes wrong in one of three ways.
//	 2. A process of its own judges the folder and writes all reports, as
//	    "streamproof judge" does, and another one exports streams.jsonl.
//	 3. It prints the time and the peak of the resident memory of both.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/scenarios"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "largerecord:", err)
		os.Exit(1)
	}
}

// run is the whole program: one of its parts in a process of its own, or all.
func run(args []string, stdout io.Writer) error {
	if len(args) == 2 && args[0] == "judge" {
		r, err := scenarios.Judge(args[1])
		if err == nil {
			fmt.Fprintf(stdout, "%s: %s\n", r.Verdict, r.Why)
		}
		return err
	}
	flags := flag.NewFlagSet("largerecord", flag.ContinueOnError)
	sizes := flags.String("streams", "5000,100000,2000000", "numbers of streams, with commas")
	bad := flags.Int("bad", 600, "one stream of so many goes wrong")
	keep := flags.String("keep", "", "leave the run folders in this folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	work := *keep
	if work == "" {
		var err error
		if work, err = os.MkdirTemp("", "largerecord"); err != nil {
			return err
		}
		defer os.RemoveAll(work)
	}
	return measure(stdout, work, strings.Split(*sizes, ","), *bad)
}

// measure prints a line for each number of streams.
func measure(stdout io.Writer, work string, sizes []string, bad int) error {
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "streams\trecord\tjudged in\tpeak memory\t")
	for _, size := range sizes {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		dir := filepath.Join(work, size)
		if err := write(dir, n, bad); err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(dir, "run.cbor"))
		if err != nil {
			return err
		}
		took, peak, err := self("judge", dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%d\t%d MB\t%.1f s\t%d MB\t\n", n, info.Size()>>20, took.Seconds(), peak>>20)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// self runs a part of this program and returns how long it took and the most memory
// that it had.
func self(args ...string) (took time.Duration, peak int64, err error) {
	path, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	begin := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	fmt.Fprintf(os.Stderr, "%s", out)
	return time.Since(begin), peakOf(cmd.ProcessState), nil
}

const (
	atOnce = 500 // streams
	events = 8   // a stream
	pace   = 400 * time.Millisecond
	length = events * pace
)

// write makes a run folder.
func write(dir string, n, bad int) error {
	b := synth.New()
	plan := b.Run.Plan
	plan.Dialect = "openai-chat"
	w, err := record.Create(dir, plan)
	if err != nil {
		return err
	}
	b.Add(1, synth.Shape{Group: record.Solo, Events: events, Gap: pace, Mute: true, Hop: "app"})
	add(w, &b.Run.Streams[0])
	for i := 1; i < n; i++ {
		sh := synth.Shape{Seq: uint64(i + 1), Events: events, Gap: pace, Mute: true, Hop: "app",
			Start: 2*length + time.Duration(i)*length/atOnce, First: time.Duration(5+i%7) * time.Millisecond}
		if i%bad == bad-1 {
			sh.Keep, sh.End = 5, []synth.End{synth.FIN, synth.Clean, synth.RST}[i/bad%3]
		}
		s := sh.Stream()
		add(w, &s)
	}
	end := 4*length + time.Duration(n)*length/atOnce
	id := plan.Scenarios[0].ID
	w.Wave(record.Wave{Scenario: id, Group: record.Solo, Hop: "app", Asked: 1, Started: 1, End: length, InBodyAtFault: -1})
	w.Wave(record.Wave{Scenario: id, Group: record.Load, Hop: "app", Asked: atOnce, Started: n - 1, Begin: 2 * length,
		End:           end,
		InBodyAtFault: -1})
	w.Finish(end, false)
	return w.Close()
}

// add records a stream as a run does: as it started, and as it ended.
func add(w *record.Writer, s *record.Stream) {
	w.Begin(&record.Stream{Seq: s.Seq, Scenario: s.Scenario, Group: s.Group, Hop: s.Hop, Nonce: s.Nonce, Sched: s.Sched,
		Send: record.Never, Connect: record.Never, Headers: record.Never, End: record.Never, First: record.Never,
		FirstAny: record.Never, Last: record.Never, TerminalAt: record.Never})
	w.End(s)
}
