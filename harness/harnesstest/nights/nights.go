// Package nights makes the history of thirty nights out of a seed: what a trend must
// find in it is known.
package nights

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/verdict"
)

// What is planted, by the index of the night.
const (
	Count      = 30
	Regression = 16 // night 17: the first event of "chat" takes 15 % longer from then on
	Outage     = 9  // night 10: nothing answers
)

// Names of what is planted in what.
const (
	Slower   = "chat"
	Flaky    = "tools"
	Drifting = "feed" // its longest gap grows by 1 % a night
)

// Sound are scenarios in which nothing is planted.
var Sound = []string{"control", "direct", "slow-reader", "pause", "worker-kill", "gzip", "burst"}

// Rows are thirty nights, one run each, with the noise that nights have: 3 % from night
// to night, and now and then a night that is a fifth slower.
func Rows(seed uint64) []history.Row {
	r := rand.New(rand.NewPCG(seed, 13))
	var rows []history.Row
	for night := range Count {
		row := history.Row{ID: int64(night + 1), Started: time.Date(2026, 11, 1+night, 2, 0, 0, 0, time.UTC), Tool: "test",
			App:    "image acme/chat",
			Commit: fmt.Sprintf("%040x", 0xa5000000+night*0x1003), Branch: "main", Stack: "local", Seed: seed,
			Dir:     fmt.Sprintf("runs/%d", night+1),
			Machine: history.Machine{OS: "linux", Arch: "amd64", CPUs: 2}, Complete: true, Streams: 200, Verdict: verdict.Pass}
		for i, id := range append([]string{Slower, Flaky, Drifting}, Sound...) {
			row.Scenarios = append(row.Scenarios, scenario(r, id, i, night))
		}
		for _, s := range row.Scenarios {
			row.Verdict = row.Verdict.Worse(s.Verdict)
		}
		rows = append(rows, row)
	}
	return rows
}

func scenario(r *rand.Rand, id string, i, night int) history.Scenario {
	s := history.Scenario{ID: id, Load: "20 streams", Verdict: verdict.Pass, Started: 20,
		Metrics:   map[string]history.Metric{},
		Untouched: history.Rate{Judged: 20, Complete: 20}, Outcomes: map[verdict.Outcome]int{verdict.Complete: 20}}
	first, gap, rate, recovery := 0.15+0.05*float64(i), 0.060, 18.0, 1.2
	if id == Slower && night >= Regression {
		first *= 1.15
	}
	if id == Drifting {
		gap *= math.Pow(1.01, float64(night))
	}
	odd := 1.0
	if r.Float64() < 0.03 {
		odd = 1.3
	}
	wobble := func(x float64) history.Metric {
		x *= odd * math.Exp(0.03*r.NormFloat64())
		return history.Metric{N: 20, P50: x, P90: 1.2 * x, Max: 1.4 * x}
	}
	s.Metrics[history.FirstEvent], s.Metrics[history.Gap] = wobble(first), wobble(gap)
	s.Metrics[history.TokensPerSecond] = wobble(rate)
	if id == "worker-kill" {
		s.Metrics[history.Recovery] = wobble(recovery)
	}
	switch broken := r.Float64() < 0.25; {
	case night == Outage:
		fail(&s, 20, verdict.Refused, "20 of 20 streams were refused")
		s.Metrics = map[string]history.Metric{}
	case id == Flaky && broken:
		fail(&s, 3, verdict.Truncated, "3 of 20 streams were truncated")
		s.Causes = []string{"answer cut by the app"}
	}
	return s
}

func fail(s *history.Scenario, n int, as verdict.Outcome, why string) {
	s.Verdict, s.Why = verdict.Fail, why
	s.Untouched.Complete = 20 - n
	s.Outcomes = map[verdict.Outcome]int{verdict.Complete: 20 - n, as: n}
}
