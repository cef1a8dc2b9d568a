package nights

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
)

// Held lists what a trend holds against an app, or for it, one line each.
func Held(t *trend.Trend) (list []string) {
	for _, o := range t.Outages {
		list = append(list, fmt.Sprintf("outage %d", o.Run))
	}
	for _, s := range t.Scenarios {
		if s.Flaky {
			list = append(list, s.ID+" flaky")
		}
		if s.Failing != nil {
			list = append(list, fmt.Sprintf("%s failing since %d", s.ID, s.Failing.Run))
		}
		for _, m := range s.Metrics {
			for _, c := range m.Steps {
				list = append(list, fmt.Sprintf("%s %s step at %d", s.ID, m.Name, c.Run))
			}
			if m.Drift != nil {
				list = append(list, s.ID+" "+m.Name+" drift")
			}
		}
	}
	return list
}

// Misread is what of the plants a trend of thirty nights does not show, and what else it
// shows. The regression counts as found at its night ± 1; what follows from a plant, such
// as fewer tokens a second where gaps drift, is no false alarm.
func Misread(t *trend.Trend) (missing, alarms []string) {
	held := Held(t)
	take := func(names ...string) bool {
		for _, n := range names {
			if i := slices.Index(held, n); i >= 0 {
				held = slices.Delete(held, i, i+1)
				return true
			}
		}
		return false
	}
	step := Slower + " " + history.FirstEvent + " step at %d"
	if !take(fmt.Sprintf(step, Regression), fmt.Sprintf(step, Regression-1), fmt.Sprintf(step, Regression+1)) {
		missing = append(missing, fmt.Sprintf("the regression of %s at night %d ± 1", Slower, Regression+1))
	}
	for _, want := range []string{Flaky + " flaky", Drifting + " " + history.Gap + " drift",
		fmt.Sprintf("outage %d", Outage)} {
		if !take(want) {
			missing = append(missing, want)
		}
	}
	// What follows from them: the longest silence of a stream may be that before its first
	// event, and longer gaps are fewer tokens a second.
	for _, night := range []int{Regression - 1, Regression, Regression + 1} {
		take(fmt.Sprintf("%s %s step at %d", Slower, history.Gap, night))
	}
	take(Drifting + " " + history.TokensPerSecond + " drift")
	return missing, held
}
