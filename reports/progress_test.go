package reports

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func TestProgressPlain(t *testing.T) {
	var b strings.Builder
	p := NewProgressOn(&b, Screen{})
	for i := range 301 { // 30 s of ten updates a second
		s := Snapshot{Scenario: "stall", N: 2, Of: 8, Phase: "baseline", Live: 50, Started: 50 + i, Well: i, Elapsed: time.Duration(i) * 100 * ms}
		if i >= 150 {
			s.Phase = "fault active"
		}
		p.Update(s)
	}
	p.Done()
	want := `   0.0s  2/8 stall · baseline · 50 live · 50 started · 0 complete · 0 other
   5.0s  2/8 stall · baseline · 50 live · 100 started · 50 complete · 0 other
  10.0s  2/8 stall · baseline · 50 live · 150 started · 100 complete · 0 other
  15.0s  2/8 stall · fault active · 50 live · 200 started · 150 complete · 0 other
  20.0s  2/8 stall · fault active · 50 live · 250 started · 200 complete · 0 other
  25.0s  2/8 stall · fault active · 50 live · 300 started · 250 complete · 0 other
  30.0s  2/8 stall · fault active · 50 live · 350 started · 300 complete · 0 other
`
	if got := b.String(); got != want {
		t.Errorf("lines:\n%swant:\n%s", got, want)
	}
}

func TestProgressTerminal(t *testing.T) {
	var b strings.Builder
	p := NewProgressOn(&b, Screen{Terminal: true, Width: 30})
	p.Update(Snapshot{Scenario: "stall", Elapsed: time.Second})
	p.Update(Snapshot{Scenario: "a very long name of a scenario", Elapsed: 61 * time.Second})
	p.Done()
	p.Done()
	lines := strings.Split(b.String(), eraseLine)
	if len(lines) != 4 || lines[0] != "" || lines[3] != "" {
		t.Fatalf("%q: want two lines, each redrawn, and an empty one at the end", lines)
	}
	for _, l := range lines[1:3] {
		if n := len([]rune(l)); n >= 30 || strings.Contains(l, "\n") {
			t.Errorf("%q takes %d columns of 30: it would wrap and stay", l, n)
		}
	}
	if !strings.Contains(lines[2], "1:01") {
		t.Errorf("%q does not show the time", lines[2])
	}
}

func TestProgressHostileName(t *testing.T) {
	var b strings.Builder
	NewProgressOn(&b, Screen{}).Update(Snapshot{Scenario: nasty, Phase: nasty})
	if bad := controls(b.String()); len(bad) > 0 {
		t.Errorf("lets through %q", bad)
	}
}

func TestProgressConcurrent(t *testing.T) {
	var b strings.Builder // not safe by itself: -race watches the progress
	p := NewProgressOn(&b, Screen{Terminal: true})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { p.Update(Snapshot{Scenario: "x", N: i}) })
	}
	wg.Wait()
	p.Done()
	if n := strings.Count(b.String(), eraseLine); n != 5 {
		t.Errorf("%d redraws, want 5", n)
	}
}
