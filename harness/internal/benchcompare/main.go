// Command benchcompare measures how often 'streamproof compare' is right about builds
// that are known: the origin as it is, and the origin made slower by a fifth, or cutting
// 2 % of its streams. All are programs of their own, as users have them.
//
//  1. For each pair four runs are made, in an order drawn by the seed: the old build,
//     and three new ones (equal, slower, cut).
//  2. Each new one is compared with the old one by 'streamproof compare --fail-on worse'.
//  3. What it should say of 20 pairs: of equal builds worse at most once, of the others
//     worse at least 19 times. The exit code is 1 where it does not.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A build is a way to start the origin.
type build struct {
	name, says string
	flags      []string
	worse      bool // what compare must find
}

// Streams are ten events, 50 ms apart.
var (
	old    = build{"old", "10 events, 50 ms apart", []string{"--events", "10", "--gap", "50ms"}, false}
	builds = []build{
		{"equal", "the same build", old.flags, false},
		{"slower", "60 ms apart", []string{"--events", "10", "--gap", "60ms"}, true},
		{"cut", "2 % of streams end early", append([]string{"--sabotage", "silent-truncation", "--sabotage-share", "0.02"},
			old.flags...), true},
	}
)

// A bench is one measurement.
type bench struct {
	streamproof, origin, dir string
	streams, at              int
	progress                 io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("benchcompare", flag.ContinueOnError)
	fs.SetOutput(stderr)
	b := bench{progress: stderr}
	fs.StringVar(&b.streamproof, "streamproof", "bin/streamproof", "the program")
	fs.StringVar(&b.origin, "origin", "bin/origin", "the server")
	fs.IntVar(&b.streams, "streams", 1000, "streams in each run")
	fs.IntVar(&b.at, "at", 100, "streams at a time")
	pairs := fs.Int("pairs", 20, "pairs of each kind")
	seed := fs.Uint64("seed", 1, "of the order and of the runs")
	keep := fs.String("keep", "", "folder for the runs (default: removed in the end)")
	if fs.Parse(args) != nil {
		return 64
	}
	ok, err := b.pairs(ctx, *pairs, *seed, *keep, stdout)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "benchcompare:", err)
		return 3
	case !ok:
		return 1
	}
	return 0
}

// pairs makes all runs and prints the table.
func (b *bench) pairs(ctx context.Context, n int, seed uint64, keep string, stdout io.Writer) (bool, error) {
	b.dir = keep
	if keep == "" {
		dir, err := os.MkdirTemp("", "benchcompare-")
		if err != nil {
			return false, fmt.Errorf("make folder: %w", err)
		}
		defer os.RemoveAll(dir)
		b.dir = dir
	}
	worse, begun := make([]int, len(builds)), time.Now()
	var accused []string
	for pair := range n {
		r := rand.New(rand.NewPCG(seed, uint64(pair)))
		dirs := make([]string, len(builds)+1)
		for _, i := range r.Perm(len(dirs)) {
			of := old
			if i > 0 {
				of = builds[i-1]
			}
			dirs[i] = filepath.Join(b.dir, fmt.Sprintf("%02d-%s", pair+1, of.name))
			if err := b.play(ctx, of, dirs[i], seed+uint64(pair)); err != nil {
				return false, err
			}
		}
		for i, of := range builds {
			found, table, err := b.compare(ctx, dirs[0], dirs[i+1])
			if err != nil {
				return false, err
			}
			if found {
				worse[i]++
			}
			if found != of.worse {
				accused = append(accused, fmt.Sprintf("pair %d, %s:\n%s", pair+1, of.name, table))
			}
		}
		fmt.Fprintf(b.progress, "pair %d of %d: worse so far: %s\n", pair+1, n, tally(worse))
	}
	return report(stdout, n, worse, accused, time.Since(begun)), nil
}

func tally(worse []int) string {
	var parts []string
	for i, of := range builds {
		parts = append(parts, fmt.Sprintf("%s %d", of.name, worse[i]))
	}
	return strings.Join(parts, ", ")
}

// report prints the table and what was said wrongly. The bounds are those of 20 pairs.
func report(w io.Writer, n int, worse []int, accused []string, took time.Duration) bool {
	good := true
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "new build\tis\tcalled worse\ttarget\n")
	for i, of := range builds {
		wrong, target := worse[i], fmt.Sprintf("≤ %d", max(1, n/20))
		if of.worse {
			wrong, target = n-worse[i], fmt.Sprintf("≥ %d", n-max(1, n/20))
		}
		if wrong > max(1, n/20) {
			target, good = target+" missed", false
		}
		fmt.Fprintf(tw, "%s\t%s\t%d of %d\t%s\n", of.name, of.says, worse[i], n, target)
	}
	_ = tw.Flush() // w says itself what is wrong with it
	fmt.Fprintf(w, "%s\n", took.Round(time.Second))
	for _, a := range accused {
		fmt.Fprintf(w, "\n%s", a)
	}
	return good
}

// play starts a build and runs streamproof against it.
func (b *bench) play(ctx context.Context, of build, dir string, seed uint64) error {
	server, url, err := b.serve(ctx, of, dir)
	if err != nil {
		return err
	}
	defer func() {
		_ = server.Process.Signal(os.Interrupt) // it may have ended
		_ = server.Wait()
	}()
	out, err := exec.CommandContext(ctx, b.streamproof, "run",
		"--url", url, "--dialect", "origin", "--scenario", "control",
		"--streams", fmt.Sprint(b.at), "--count", fmt.Sprint(b.streams),
		"--seed", fmt.Sprint(seed), "-q", "-o", dir).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() <= 2 { // a verdict
		return nil
	}
	if err != nil {
		return fmt.Errorf("run %s: %w\n%s", of.name, err, out)
	}
	return nil
}

// serve starts the origin on a port that it chooses.
func (b *bench) serve(ctx context.Context, of build, dir string) (*exec.Cmd, string, error) {
	ready := dir + ".addr"
	args := append([]string{"--listen", "127.0.0.1:0", "--ready-file", ready}, of.flags...)
	c := exec.CommandContext(ctx, b.origin, args...)
	if err := c.Start(); err != nil {
		return nil, "", fmt.Errorf("start origin: %w", err)
	}
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if at, err := os.ReadFile(ready); err == nil {
			return c, "http://" + string(at) + "/stream", nil
		}
	}
	_ = c.Process.Kill()
	return nil, "", errors.Join(errors.New("start origin: it is not ready after 30 s"), c.Wait())
}

// compare asks the program.
func (b *bench) compare(ctx context.Context, a, c string) (worse bool, table string, err error) {
	cmd := exec.CommandContext(ctx, b.streamproof, "compare", a, c, "--fail-on", "worse")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, out.String(), nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return true, out.String(), nil
	}
	return false, "", fmt.Errorf("compare %s and %s: %w\n%s", a, c, err, complaint.String())
}
