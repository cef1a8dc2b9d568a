package harness

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
)

// A scenario lasts as long as its load, however that says so, and for some streams more.
func TestLasts(t *testing.T) {
	const night = 10 * time.Hour
	rate := func(n float64) arrivals.Target { return arrivals.Target{Value: n, Rate: true} }
	for name, tc := range map[string]struct {
		load Load
		sc   Scenario
		o    Options
		want time.Duration // at least
	}{
		"a duration":         {load: Load{Streams: 5, Duration: night}, want: night},
		"a rate":             {load: Load{Rate: 1, Duration: night}, want: night},
		"a rate and a total": {load: Load{Rate: 1, Total: 36000}, want: night},
		"stages": {load: Load{Pattern: Pattern{Stages: []arrivals.Stage{{Duration: night,
			Target: rate(2)}}}}, want: night},
		"a total":               {load: Load{Streams: 10, Total: 1200}, want: night},
		"streams that are long": {load: Load{Streams: 10}, o: Options{Total: night}, want: night},
		"hop by hop":            {load: Load{Streams: 5, Duration: night}, sc: Scenario{Peel: true}, want: 4 * night},
		"a fault that is held":  {load: Load{Streams: 5}, sc: Scenario{Hold: night}, want: night},
		"clients that come back": {load: Load{Streams: 1}, sc: Scenario{Client: Client{Reconnect: Reconnect{Times: 1000}}},
			want: night},
	} {
		tc.o.Load = tc.load
		tc.sc.ID = "one"
		tc.o.Scenarios = []Scenario{tc.sc}
		p := planOf(t, tc.o)
		if got := p.Lasts(p.Fill(tc.sc)); got < tc.want || got > longestStack {
			t.Errorf("%s: %v, want %v at least", name, got, tc.want)
		}
	}
	p := planOf(t, Options{})
	if got := p.Lasts(p.Fill(Scenario{ID: "one"})); got > 2*time.Hour {
		t.Errorf("a short scenario: %v", got)
	}
	if got := p.Lasts(Scenario{Load: Load{Streams: 1, Total: 1 << 40}}); got != longestStack {
		t.Errorf("a load without end: %v, want the bound", got)
	}
}
