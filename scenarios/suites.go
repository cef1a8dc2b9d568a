package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Suite is a list of scenarios with a name.
type Suite struct {
	Name string
	Doc  string // what it is for, one sentence
	// Budget is how long it may take on the built-in server, on two cores and the local
	// stack; 0 is no bound.
	Budget time.Duration
	List   func() []harness.Scenario
	// Able says that scenarios which cannot be played here do not count: the suite is
	// whatever can.
	Able bool
}

// Suites are the built-in suites, the shortest first.
func Suites() []Suite {
	return []Suite{
		{Name: "smoke", Doc: "no fault, a cut, a silent edge timeout, a killed worker and a deploy: for every push",
			Budget: time.Minute, List: Smoke},
		{Name: "standard", Doc: "everything that any streaming endpoint should survive: for every merge",
			Budget: 5 * time.Minute, List: Standard},
		{Name: "nightly", Doc: "every scenario that can run here, with timeouts as long as in production",
			List: Nightly, Able: true},
	}
}

// Smoke returns the smoke suite: one scenario of each kind that breaks most often.
func Smoke() []harness.Scenario {
	return []harness.Scenario{Control(), leftToTheEdge(Buffering()), Cut(), WorkerKill(), Drain()}
}

// Nightly returns the catalogue with timeouts at their real length.
func Nightly() []harness.Scenario {
	list := All()
	for i, s := range list {
		s = fullLength(s)
		if s.Edge.Form == stack.EdgeDefault || s.Edge.Form == stack.EdgeGzip {
			s = leftToTheEdge(s)
		}
		list[i] = s
	}
	return list
}

// Timeouts as they are by default: nginx's proxy_read_timeout and the idle timeout of
// AWS's Application Load Balancer, 60 s each; gunicorn's --timeout, 30 s.
const (
	fullReadTimeout   = 60 * time.Second
	fullBalancerIdle  = 60 * time.Second
	fullWorkerTimeout = 30 * time.Second
	fullSoak          = time.Minute
	// below our own limit on silence, so that what ends a stream is what the scenario is about
	fullHeartbeat = 5 * time.Second
)

// fullLength is s with the times that the catalogue scales down at their real length. The
// send timeout stays: at a sixtieth of its rate a client would read for an hour; so does
// the deadline: new streams must be whole soon after it, whatever the length of an answer.
func fullLength(s harness.Scenario) harness.Scenario {
	pause := func(timeout time.Duration) {
		s.Shape.Pause, s.Shape.Heartbeat = timeout*3/2, fullHeartbeat
		s.Policy.GapLimit, s.Policy.Silence = 3*timeout, timeout
		s.FullLength, s.Title = true, fmt.Sprintf("%s, %s", s.Title, timeout)
	}
	switch s.ID {
	case ReadTimeout().ID:
		s.Edge.ReadTimeout = fullReadTimeout
		pause(fullReadTimeout)
	case IdleTimeout().ID:
		s.Edge.IdleTimeout = fullBalancerIdle
		pause(fullBalancerIdle)
	case WorkerTimeout().ID:
		s.Env = gunicornTimeout(fullWorkerTimeout)
		pause(fullWorkerTimeout)
	case Soak().ID:
		s.Load.Duration = fullSoak
		s.FullLength, s.Title = true, fmt.Sprintf("%s, %s", s.Title, fullSoak)
	}
	return s
}

// families are the parts of the catalogue by the tag that their scenarios bear.
var families = []struct {
	tag  string
	list func() []harness.Scenario
}{
	{"baseline", baseline}, {"buffering", buffering}, {"timeouts", timeouts}, {"network", network}, {"cuts", cuts},
	{"resources", resources}, {"lifecycle", lifecycle}, {"load", load},
}

// Tags of scenarios, beside those of the families.
const (
	TagFault   = "fault"    // something is injected
	TagNoFault = "no-fault" // nothing is
	TagOwn     = "own"      // defined by the user
)

// TagsOf lists the tags of a scenario, sorted: its family or own, whether it injects a
// fault, and those that the user gave it.
func TagsOf(s harness.Scenario) []string {
	tags := slices.Clone(s.Tags)
	family := TagOwn
	for _, f := range families {
		if slices.ContainsFunc(f.list(), func(o harness.Scenario) bool { return o.ID == s.ID }) {
			family = f.tag
		}
	}
	kind := TagNoFault
	if s.Fault != nil {
		kind = TagFault
	}
	tags = append(tags, family, kind)
	slices.Sort(tags)
	return slices.Compact(tags)
}
