package harness

import (
	"cmp"
	"math"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
)

const (
	// beside is how many streams one after the other stand beside the load of a scenario at most: alone before it
	// and after it, before the fault, and until the app has recovered.
	beside = 10
	// peeled is how many hops a chain has at most: to each a load of its own is sent.
	peeled = 5
	// longestStack is the bound of [Plan.Lasts].
	longestStack = 365 * 24 * time.Hour
)

// Lasts is the longest that the scenario may go on once its stack is up, by what its load asks for and by our own
// bounds on each stream. It is for guards against what is forgotten, which must not end what is still used: it is
// rather too long than too short. sc is as [Plan.Fill] returns it.
func (p *Plan) Lasts(sc Scenario) time.Duration {
	l, c := &sc.Load, &sc.Client
	wait := c.Reconnect.Wait + c.Retry.Wait<<min(c.Retry.Times, 10)
	one := float64(max(l.Turns(), 1)) * (l.Sessions.Think.Most.Seconds() +
		float64(c.Rounds())*(cmp.Or(sc.Policy.TotalLimit, p.total())+wait).Seconds())
	waves := 1.0
	if sc.Peel {
		waves = peeled
	}
	sum := waves*(l.lasts(one)+beside*one) + sc.Hold.Seconds()
	return time.Duration(min(sum, longestStack.Seconds()) * float64(time.Second))
}

// lasts is how many seconds streams of the load are started at most, where one lasts that many.
func (l *Load) lasts(one float64) float64 {
	all := float64(l.Total)
	switch {
	case l.Arrivals.Kind == arrivals.Trace:
		at := l.traced()
		if len(at) == 0 {
			return 0
		}
		return at[len(at)-1].Seconds()
	case len(l.Stages) > 0:
		return arrivals.Length(l.Stages).Seconds()
	case l.Duration > 0:
		return l.Duration.Seconds()
	case l.Rate > 0:
		return l.Ramp.Seconds() + 2*all/l.Rate // times that are drawn may come late
	}
	return l.Ramp.Seconds() + math.Ceil(all/float64(l.Concurrent()))*one
}
