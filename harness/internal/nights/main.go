// Command nights makes the history of thirty nights by real runs of streamproof, and tells
// whether its trend is read rightly.
//
//  1. What is planted is known: package harnesstest/nights names it. One scenario gets
//     15 % slower at night 17, one is flaky, one drifts, one night is an outage, and in
//     the others there is nothing.
//  2. Each night is one 'streamproof run' of a file that defines the scenarios, each with
//     the flags of our own origin that make it so, added to one history.
//  3. 'streamproof trend' and 'streamproof report --history' read it; what they are to find
//     is looked up in the facts that both are made of. The exit code is 1 where something
//     is missing or anything else is accused.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/nights"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A calendar is a making of the nights.
type calendar struct {
	streamproof, dir string
	seed             uint64
	nights           int
	flaky            []bool // by night
	from, record     string
	stdout, progress io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("nights", flag.ContinueOnError)
	fs.SetOutput(stderr)
	c := calendar{stdout: stdout, progress: stderr}
	fs.StringVar(&c.streamproof, "streamproof", "bin/streamproof", "the program")
	fs.StringVar(&c.dir, "o", "runs/nights", "folder for the history and the page; must not be there")
	fs.Uint64Var(&c.seed, "seed", 1, "of the runs and of the nights on which the flaky scenario fails")
	fs.StringVar(&c.from, "from", "", "judge the history `FILE` instead, which was made before")
	fs.StringVar(&c.record, "record", "", "keep the nights for tests, as JSON that is compressed, in `FILE`")
	fs.IntVar(&c.nights, "nights", nights.Count, "how many are made; the trend is judged over all of them only")
	if fs.Parse(args) != nil || c.nights < 1 || c.nights > nights.Count {
		return 64
	}
	right, err := c.read(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "nights:", err)
		return 3
	case !right:
		return 1
	}
	return 0
}

// make plays the nights.
func (c *calendar) make(ctx context.Context) error {
	if _, err := os.Stat(c.dir); err == nil {
		return fmt.Errorf("%s is there already: remove it, or name another folder with -o", c.dir)
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	c.flaky = flakyNights(c.seed)
	began := time.Now()
	for night := range c.nights {
		said, err := c.play(ctx, night)
		if err != nil {
			return fmt.Errorf("night %d: %w", night+1, err)
		}
		fmt.Fprintf(c.progress, "night %d of %d: %s\n", night+1, c.nights, said)
	}
	fmt.Fprintf(c.progress, "%d nights in %v\n", c.nights, time.Since(began).Round(time.Second))
	return nil
}

// read makes the nights where they are not there, and reads the trend.
func (c *calendar) read(ctx context.Context) (right bool, err error) {
	if c.from == "" {
		if err := c.make(ctx); err != nil {
			return false, err
		}
	}
	for _, args := range [][]string{{"trend"}, {"report"}} {
		out, err := c.ask(ctx, append(args, "--history", c.history())...)
		if err != nil {
			return false, err
		}
		if _, err := c.stdout.Write(out); err != nil {
			return false, err
		}
	}
	if c.nights < nights.Count {
		return true, nil
	}
	return c.judge()
}

func (c *calendar) history() string {
	if c.from != "" {
		return c.from
	}
	return filepath.Join(c.dir, "nights.db")
}

// flakyNights are those on which the flaky scenario fails: one in four, drawn until there
// are four such episodes, and neither the last two nights nor the outage are among them.
func flakyNights(seed uint64) []bool {
	r := rand.New(rand.NewPCG(seed, 0x666c616b79))
	for {
		bad, episodes := make([]bool, nights.Count), 0
		for i := range bad {
			bad[i] = r.Float64() < 0.25
			if bad[i] && (i == 0 || !bad[i-1]) {
				episodes++
			}
		}
		if episodes >= 4 && !bad[nights.Outage] && !bad[nights.Count-1] && !bad[nights.Count-2] {
			return bad
		}
	}
}

// play makes one night's run. Its folder is removed: the history keeps what is needed.
func (c *calendar) play(ctx context.Context, night int) (said string, err error) {
	dir := filepath.Join(c.dir, fmt.Sprintf("night-%02d", night+1))
	file := dir + ".yaml"
	if err := os.WriteFile(file, []byte(c.file(night)), 0o644); err != nil {
		return "", err
	}
	out, err := c.ask(ctx, "run", "-f", file, "-o", dir, "-q", "--seed", fmt.Sprint(c.seed+uint64(night)),
		"--history", c.history(), "--branch", "main", "--commit", fmt.Sprintf("%02x%038x", 0xa0+night, night+1))
	if err != nil {
		return "", err
	}
	said, _, _ = strings.Cut(string(out), "\n")
	return said, errors.Join(os.RemoveAll(dir), os.Remove(file))
}

// file is the file of one night.
func (c *calendar) file(night int) string {
	var b strings.Builder
	b.WriteString("define:\n")
	for _, s := range c.scenarios(night) {
		args := append([]string{"--events", "8", "--gap", "100ms"}, s.flags...)
		if night == nights.Outage {
			args = append(args, "--sabotage", "no-headers", "--sabotage-share", "1")
		}
		fmt.Fprintf(&b, "  - id: %s\n    extends: control\n    args: [%s]\n    load: {streams: 12}\n", s.id,
			`"`+strings.Join(args, `", "`)+`"`)
	}
	return b.String()
}

// A planted is a scenario with flags of the origin.
type planted struct {
	id    string
	flags []string
}

// scenarios are those of a night. Times are long beside what a busy machine adds to them.
func (c *calendar) scenarios(night int) []planted {
	first := 200 * time.Millisecond
	if night >= nights.Regression {
		first = first * 115 / 100
	}
	drifting := time.Duration(100 * math.Pow(1.01, float64(night)) * float64(time.Millisecond))
	all := []planted{
		{nights.Slower, think(first)},
		{nights.Flaky, nil},
		{nights.Drifting, []string{"--gap", drifting.Round(100 * time.Microsecond).String()}},
		{"summary", nil},
		{"search", think(150 * time.Millisecond)},
		{"export", []string{"--gap", "150ms", "--size", "500"}},
	}
	if c.flaky[night] {
		all[1].flags = []string{"--sabotage", "silent-truncation", "--sabotage-share", "0.25"}
	}
	return all
}

// think makes the first event of every stream come so late.
func think(d time.Duration) []string {
	return []string{"--sabotage", "slow-first-event", "--sabotage-share", "1", "--delay", d.String()}
}

// ask runs the program. A verdict is no error.
func (c *calendar) ask(ctx context.Context, args ...string) (stdout []byte, err error) {
	cmd := exec.CommandContext(ctx, c.streamproof, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 && exit.ExitCode() <= 2 && ctx.Err() == nil {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", c.streamproof, strings.Join(args, " "), err, said.String())
	}
	return out, nil
}

// judge reads the history as 'streamproof trend' does.
func (c *calendar) judge() (right bool, err error) {
	db, err := history.OpenExisting(c.history())
	if err != nil {
		return false, err
	}
	defer db.Close()
	rows, err := db.Rows(history.Query{})
	if err != nil {
		return false, err
	}
	if c.record != "" {
		if err := nights.Record(c.record, rows); err != nil {
			return false, err
		}
	}
	missing, alarms := nights.Misread(trend.Read(rows))
	for _, m := range missing {
		fmt.Fprintln(c.stdout, "not found:", m)
	}
	for _, a := range alarms {
		fmt.Fprintln(c.stdout, "false alarm:", a)
	}
	if len(missing)+len(alarms) > 0 || len(rows) != nights.Count {
		return false, nil
	}
	fmt.Fprintln(c.stdout, "all that was planted is found, and nothing else is accused")
	return true, nil
}
