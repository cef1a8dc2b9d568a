package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// TestMain is the program itself where it was started as a part.
func TestMain(m *testing.M) {
	if os.Getenv(partEnv) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// Every row comes from a real process, and every stream is whole in each.
func TestBenchPrintsEveryRow(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "streamproof")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary,
		"github.com/streamproof/streamproof/cmd/streamproof")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build streamproof: %v\n%s", err, out)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-binary", binary, "-streams", "50", "-through", "20", "-crowd", "30,60",
		"-events", "5", "-gap", "20ms", "-ramp", "100ms"},
		&stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	judged := `(pass|fail|inconclusive)`
	for _, want := range []string{
		`\| bare epoll reader \| 50 \| 50 \| 1\.00 .* / .* \| – \| – \|`,
		`\| plain Vegeta \| 50 \| 50 \| .* \| – \| – \| – \|`,
		"\\| `run --url … --scenario direct` \\| 50 \\| 50 \\| .* ms / .* ms \\| .* ms \\| " + judged + ` \|`,
		"\\| `run --url …` \\| 50 \\| 50 \\| .* ms / .* ms \\| .* ms \\| " + judged + ` \|`,
		"\\| `run --url …`, a tenth through a delay \\| 50 \\| 50 \\| .* ms \\| " + judged + ` \|`,
		`\| bare epoll reader, slower events \| 30 \| 30 \| 1\.00 .*`,
		"\\| `run --url …`, slower events \\| 60 \\| 60 \\| .* ms \\| " + judged + ` \|`,
		"`run --url …`, slower events, 30 → 60 streams: CPU × .*",
		`At 50 streams a fault struck .* ms after its condition came true; ≤ 5 .*`,
		`\| bare epoll reader \| 20 \| 20 \| 1\.00 .*`,
		`\| the relay alone, the reader behind it \| 20 \| 20 \| .* / .* \| – \| – \|`,
		`\| toxiproxy alone, the reader behind it \| 20 \| 20 \| .* / .* \| – \| – \|`,
		"\\| `run --url …` through a strike \\| 20 \\| 20 \\| .* ms / .* ms \\| .* ms; ≤ 1 .* \\| " + judged + ` \|`,
		"\\| `run --url …` through a delay \\| 20 \\| 20 \\| .* ms / .* ms \\| .* ms; ≤ 1 .* \\| " + judged + ` \|`,
		"\\| `run --url …` through a strike and a delay \\| 20 \\| 20 \\| .* ms / .* ms \\| .* ms; ≤ 1 .* \\| " + judged +
			` \|`,
		`At 60 streams an arrival is off by .* µs at most \(p99\), with what the server took to write; ≤ 50 .*`,
		"\\| `run --url …` through relay and toxiproxy \\| 20 \\| 20 \\| .* ms / .* ms \\| .* ms; ≤ 1 .* \\| " + judged +
			` \|`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(stdout.String()) {
			t.Errorf("no row like %s in\n%s", want, stdout.String())
		}
	}
}

func TestTableSetsFiguresAgainstTargets(t *testing.T) {
	ms := time.Millisecond
	many, few := load{Streams: 100}, load{Streams: 10}
	limits := targets{ratio: 1.2, memory: 8, gap: 1}
	rows := []row{
		{name: "floor", load: many, cost: cost{CPU: 2 * time.Second, Peak: 11 << 10}, base: cost{Peak: 10 << 10},
			seen: observed{whole: 100, first: []time.Duration{3 * ms, ms, 2 * ms}}, verdict: "–"},
		{name: "cheap", load: many, cost: cost{CPU: 2400 * ms, Peak: 20<<10 + 800},
			base: cost{CPU: time.Second / 2, Peak: 20 << 10}, limits: limits, verdict: "pass",
			seen: observed{whole: 100, first: []time.Duration{50 * ms}, added: []time.Duration{0, ms}}},
		{name: "small floor", load: few, cost: cost{CPU: 100 * ms}, seen: observed{whole: 10}, verdict: "–"},
		{name: "dear", load: few, cost: cost{CPU: 200 * ms, Peak: 30<<10 + 90}, base: cost{Peak: 30 << 10}, limits: limits,
			verdict: "fail", seen: observed{whole: 9, added: []time.Duration{1500 * time.Microsecond}}},
	}
	var out strings.Builder
	if err := writeTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	want := `| process | streams | whole | CPU, × reader | of it for one stream | KiB a stream, and without | first event p50 / p99 | added to a gap, p99 | verdict |
|---|--:|--:|--:|--:|--:|--:|--:|---|
| floor | 100 | 100 | 1.00 (2.00 s) | 0.00 s | 10.2 (10 MiB) | 2.00 ms / 3.00 ms | – | – |
| cheap | 100 | 100 | 1.20 (2.40 s); ≤ 1.2 reached | 0.50 s | 8.0 (20 MiB); ≤ 8 reached | 50 ms / 50 ms | 1.00 ms; ≤ 1 reached | pass |
| small floor | 10 | 10 | 1.00 (0.10 s) | 0.00 s | 0.0 (0 MiB) | – | – | – |
| dear | 10 | 9 | 2.00 (0.20 s); ≤ 1.2 **missed** | 0.00 s | 9.0 (30 MiB); ≤ 8 **missed** | – | 1.50 ms; ≤ 1 **missed** | fail |
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestGrowthAndKneeNeedSeveralSizes(t *testing.T) {
	at := func(name string, streams int, seconds, kib int, gap time.Duration) row {
		return row{name: name, load: load{Streams: streams}, cost: cost{CPU: time.Duration(seconds) * time.Second, Peak: kib},
			seen: observed{added: []time.Duration{gap}}, limits: targets{gap: 1}}
	}
	ms := time.Millisecond
	for _, tc := range []struct {
		rows []row
		want string
	}{
		{[]row{at(usual, 10, 1, 100, 0), at(chain, 10, 1, 100, 5*ms)}, ""},
		{[]row{at(usual, 10, 10, 100, 0), at(usual, 20, 21, 220, 0)},
			"\n`run --url …`, 10 → 20 streams: CPU × 2.10; ≤ 2.1 reached; memory × 2.20; ≤ 2.1 **missed**.\n"},
		{[]row{at(chain, 10, 1, 1, ms/2), at(chain, 20, 1, 1, ms), at(chain, 40, 1, 1, 20*ms), at(chain, 80, 1, 1, 0)},
			"\nKnee of the chain: at 40 streams it adds 20 ms to a gap (p99); 20 streams are the most measured within 1 ms.\n"},
		{[]row{at(chain, 10, 1, 1, 0), at(chain, 20, 1, 1, 0)}, "\nKnee of the chain: above 20 streams.\n"},
	} {
		var out strings.Builder
		if err := errors.Join(writeGrowth(&out, tc.rows), writeKnee(&out, tc.rows)); err != nil || out.String() != tc.want {
			t.Errorf("got %q, %v, want %q", out.String(), err, tc.want)
		}
	}
}

// A gap is compared with the server's, so that a server that is late itself adds
// nothing, and an event that came early after a late one neither.
func TestAddedIsWhatTheServerDidNotWait(t *testing.T) {
	ms := time.Millisecond
	var line record.Timeline
	for _, m := range []struct{ at, emit time.Duration }{{10 * ms, 9 * ms}, {25 * ms, 20 * ms}, {30 * ms, 29 * ms},
		{80 * ms, 79 * ms}} {
		line.Append(record.Mark{At: m.at, Early: m.at, Kind: stream.Content, Seq: -1, Emit: int64(time.Hour + m.emit)})
	}
	line.Append(record.Mark{At: 90 * ms, Early: 90 * ms, Kind: stream.Terminal, Seq: -1}) // without a stamp
	var o observed
	o.add(&record.Stream{Send: 4 * ms, First: 10 * ms, Events: line.Bytes}, nil)
	o.add(&record.Stream{Send: 4 * ms, First: record.Never}, nil)
	want := []time.Duration{4 * ms, 0, 0}
	if len(o.added) != 3 || o.added[0] != want[0] || o.added[1] != 0 || o.added[2] != 0 {
		t.Errorf("added %v, want %v", o.added, want)
	}
	var across observed
	across.add(&record.Stream{Send: 4 * ms, First: 10 * ms, Events: line.Bytes}, []time.Duration{20 * ms})
	if len(across.added) != 2 || across.added[0] != 0 {
		t.Errorf("added %v but for what a fault at 20 ms did, want two zeroes", across.added)
	}
	if len(o.after) != 4 || o.after[1]-o.after[0] != 4*ms || o.after[3] != o.after[0] {
		t.Errorf("arrivals are behind their stamps by %v", o.after)
	}
	if len(o.first) != 1 || o.first[0] != 6*ms || o.whole != 0 {
		t.Errorf("first events after %v, %d whole, want 6ms and none", o.first, o.whole)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-streams", "0"}, {"-gap", "0s"}, {"-events", "1"}, {"-through", "0"},
		{"-through", "10,x"}, {"-only", "run,none"}, {"-only", ""}, {"-none"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("parse(%v) took it", args)
		}
	}
}

// A choice of arms keeps their floors, and no others.
func TestChosenArmsComeWithTheirFloors(t *testing.T) {
	for _, tc := range []struct{ only, want string }{
		{"run", "floor 10, run 10"},
		{"strike, run", "floor 10, run 10, floor 5, strike 5"},
		{"crowd", "floor 20, crowd 20, floor 30, crowd 30"},
		{"floor", "floor 10, floor 20, floor 30, floor 5"},
		{"relay,vegeta", "floor 10, vegeta 10, floor 5, relay 5"},
	} {
		o, err := parse([]string{"-streams", "10", "-through", "5", "-crowd", "20,30", "-only", tc.only}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range o.arms() {
			got = append(got, fmt.Sprint(a.key, " ", a.load.Streams))
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("-only %q gives %s, want %s", tc.only, strings.Join(got, ", "), tc.want)
		}
	}
}

// A fault is late by what lies between the last victim's event that its condition asks
// for and the stamp of its strike.
func TestActedIsCountedFromTheLastVictim(t *testing.T) {
	ms := time.Millisecond
	of := func(g record.Group, ats ...time.Duration) record.Stream {
		var line record.Timeline
		for _, at := range ats {
			line.Append(record.Mark{At: at, Early: at, Kind: stream.Content, Seq: -1})
		}
		return record.Stream{Group: g, Events: line.Bytes}
	}
	run := &record.Run{Streams: []record.Stream{of(record.Victim, ms, 4*ms, 9*ms), of(record.Victim, 2*ms, 6*ms),
		of(record.Control, 7*ms, 8*ms)},
		Windows: []record.Window{{Phase: record.Armed, At: 0}, {Phase: record.Active, At: 9 * ms}}}
	if got := acted(run, 2); got != 3*ms {
		t.Errorf("acted after %v, want 3ms", got)
	}
}
