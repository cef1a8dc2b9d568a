//go:build linux && (amd64 || arm64)

package tap_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// The whole path, beside a floor and a peer:
//
//	go test -run '^$' -bench Streams -benchtime 1x ./harness/tap
//
// One server process emits stamped events on a schedule; each arm reads them in
// a process of its own (this test binary, executed again), so that CPU time and
// memory are the arm's alone:
//
//	floor   a bare epoll reader: edge triggered, read(2) into one buffer, bytes counted
//	tap     load.Drive: Vegeta, our tap, the origin dialect, every arrival kept
//	vegeta  Vegeta with its own transport, MaxBody(0), bodies read and dropped
//
// CPU counts from the moment at which all streams are in their bodies until the
// last has ended, over events received.

// A plan is one arm's task.
type plan struct {
	Arm     string
	Addr    string // of the server
	Streams int
	Events  int // a stream
	Gap     time.Duration
}

// A result is what an arm measured.
type result struct {
	Whole    int     // streams that ended whole; -1 if the arm cannot tell
	Lost     int     // events; -1 if the arm cannot tell
	CPU      float64 // µs per event
	Memory   float64 // KiB per stream, resident, over the process's own
	P50, P99 float64 // arrival error, µs; 0 if the arm has no arrivals
	P999     float64
	Exact    float64 // per cent of arrivals that are points, not intervals
	Missed   int     // events said to have come before they were emitted
	Lag      float64 // ms: the most that a read came after its stamp
}

// armTime bounds one arm; it takes about 15 s.
const armTime = 2 * time.Minute

// childEnv carries a plan to the process that is to run it.
const childEnv = "STREAMPROOF_BENCH"

// benchChild runs the plan that this process was started for, if any.
func benchChild() bool {
	task := os.Getenv(childEnv)
	if task == "" {
		return false
	}
	var p plan
	err := json.Unmarshal([]byte(task), &p)
	if err == nil {
		err = runArm(p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	return true
}

func runArm(p plan) error {
	arm := map[string]func(plan) (result, error){"floor": floorArm, "tap": tapArm, "vegeta": vegetaArm}[p.Arm]
	if p.Arm == "server" {
		return emitAll(os.Stdin, os.Stdout)
	}
	res, err := arm(p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// floorStreams is the load at which the arms are compared.
const floorStreams = 5000

func BenchmarkStreams(b *testing.B) {
	for range b.N {
		var table strings.Builder
		w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "arm\tstreams\tevents/s\tlost\tCPU µs/event\t× floor\tKiB/stream\texact %\terror p50 "+
			"µs\tp99\tp99.9\tmax lag ms\t")
		var floor, ours result
		for _, p := range []plan{
			{Arm: "floor", Streams: floorStreams, Events: 100, Gap: 100 * time.Millisecond},
			{Arm: "tap", Streams: floorStreams, Events: 100, Gap: 100 * time.Millisecond},
			{Arm: "vegeta", Streams: floorStreams, Events: 100, Gap: 100 * time.Millisecond},
			{Arm: "tap", Streams: 15000, Events: 20, Gap: 500 * time.Millisecond},
		} {
			r := measure(b, p)
			switch {
			case p.Arm == "floor":
				floor = r
			case p.Arm == "tap" && p.Streams == floorStreams:
				ours = r
			}
			if r.Missed > 0 {
				b.Errorf("%s: %d events arrived before they were emitted", p.Arm, r.Missed)
			}
			if r.Lost > 0 || r.Whole >= 0 && r.Whole != p.Streams {
				b.Errorf("%s: %d events lost, %d of %d streams whole", p.Arm, r.Lost, r.Whole, p.Streams)
			}
			row(w, p, r, floor.CPU)
		}
		w.Flush()
		fmt.Printf("\n%s\n", table.String())
		b.ReportMetric(ours.CPU/floor.CPU, "x-floor")
		b.ReportMetric(ours.CPU*1e3, "ns-cpu/event")
		b.ReportMetric(ours.Memory, "KiB/stream")
		b.ReportMetric(ours.P99, "µs-p99")
	}
}

func row(w io.Writer, p plan, r result, floor float64) {
	lost, errs := "-", "-\t-\t-\t-\t-"
	if r.Lost >= 0 {
		lost = fmt.Sprint(r.Lost)
	}
	if r.P99 > 0 {
		errs = fmt.Sprintf("%.2f\t%.0f\t%.0f\t%.0f\t%.0f", r.Exact, r.P50, r.P99, r.P999, r.Lag)
	}
	rate := float64(p.Streams) / p.Gap.Seconds()
	times := "-" // another load costs something else per event
	if p.Streams == floorStreams {
		times = fmt.Sprintf("%.2f", r.CPU/floor)
	}
	fmt.Fprintf(w, "%s\t%d\t%.0f\t%s\t%.2f\t%s\t%.1f\t%s\t\n", p.Arm, p.Streams, rate, lost, r.CPU, times, r.Memory, errs)
}

// measure runs one arm against a fresh server.
func measure(b *testing.B, p plan) result {
	b.Helper()
	server := child(b, plan{Arm: "server"})
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { // the server ends with its standard input
		in.Close()
		if err := server.Wait(); err != nil {
			b.Errorf("server: %v", err)
		}
	}()
	if _, err := fmt.Fscanln(out, &p.Addr); err != nil {
		b.Fatalf("read the server's address: %v", err)
	}
	arm := child(b, p)
	text, err := arm.Output()
	if err != nil {
		b.Fatalf("%s: %v", p.Arm, err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		b.Fatalf("%s: %v in %q", p.Arm, err, text)
	}
	return r
}

func child(b *testing.B, p plan) *exec.Cmd {
	task, err := json.Marshal(p)
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	// A machine that is too busy to open all streams must not hold us for ever.
	ctx, cancel := context.WithTimeout(context.Background(), armTime)
	b.Cleanup(cancel)
	c := exec.CommandContext(ctx, self)
	c.Env = append(os.Environ(), childEnv+"="+string(task))
	c.Stderr = os.Stderr
	return c
}
