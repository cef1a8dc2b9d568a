package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

const (
	// reached is the least share of the load asked for that still counts as it:
	// the last arrivals of a paced wave may fall beyond its end.
	reached = 0.95
	// lateShare is the share of streams that may start late. More, and the load
	// was another one than the plan says.
	lateShare = 1 - reached
	// userLag is how late arrivals may be read where nothing but our own clock
	// stamps them.
	userLag = 100 * time.Millisecond
)

// LoadReached asks whether the load that the plan asked for was sent.
type LoadReached struct{}

func (LoadReached) Check(s *Scope) Answer {
	const name = "load reached"
	if len(s.Waves) == 0 {
		return Answer{}
	}
	all, of := sent{}, ""
	for _, w := range s.Waves {
		if w.Clients > 0 && s.Scenario.Load.Turns > 0 {
			of = "session" // and the single streams before them, each like one
		}
		all.add(&w)
	}
	for _, x := range append(s.loads(), all) {
		if float64(x.begun) < reached*float64(x.asked) {
			return unsure(name, next(NextLargerMachine), fact{Kind: FactLoadShort, N: x.begun, Of: x.asked, Name: of,
				Need: int(math.Ceil(reached * float64(x.asked)))}).obliges()
		}
	}
	return pass(name, fact{Kind: FactLoad, N: all.begun, Of: all.asked, Name: of}).obliges()
}

// A sent is how much of what was asked for was sent, and how much of it late.
type sent struct{ asked, begun, late int }

func (x *sent) add(w *record.Wave) {
	x.asked, x.begun, x.late = x.asked+w.Asked, x.begun+w.Begun(), x.late+w.LateStarts
}

// loads is the load without the small waves before and after it, which would hide that a
// part of it was not sent: the waves under load together, and each large one whose record
// does not say what it was.
func (s *Scope) loads() []sent {
	const large = 20
	var main sent
	var all []sent
	for _, w := range s.Waves {
		switch {
		case underLoad(w.Group):
			main.add(&w)
		case w.Group == "" && w.Asked >= large:
			var x sent
			x.add(&w)
			all = append(all, x)
		}
	}
	if main.asked > 0 {
		all = append(all, main)
	}
	return all
}

// KeptUp asks whether the generator kept up. Where it did not, the run is
// invalid for all that has to do with time, and not the app's failure.
type KeptUp struct{}

func (KeptUp) Check(s *Scope) Answer {
	if len(s.Streams) == 0 {
		return Answer{}
	}
	return s.keptUpWith(s.generator().LateStarts, s.asked(), s.lagP99())
}

// keptUpWith answers for so many late starts of so many streams, and a reading lag.
func (s *Scope) keptUpWith(late, of int, lag time.Duration) Answer {
	const name = "generator kept up"
	late, of = s.latest(late, of)
	if !s.timely(late, of, lag) {
		return unsure(name, next(NextLargerMachine),
			fact{Kind: FactLagged, N: late, Of: of, Share: lateShare, Took: lag, Bound: s.lagBound()}).obliges()
	}
	return pass(name, fact{Kind: FactKeptUp, N: late, Took: lag, Name: string(s.clock())}).obliges()
}

// keptUp is asked by every check on time.
func (s *Scope) keptUp() bool {
	if s.kept == nil { // of thousands of streams each that was late asks
		s.whole(s.generator().LateStarts, s.asked(), s.lagP99(), span{})
	}
	return *s.kept
}

// whole settles whether the generator kept up, and when the load was, for a scope that has
// lost its streams or need not count them again.
func (s *Scope) whole(late, of int, lag time.Duration, loaded span) {
	late, of = s.latest(late, of)
	kept := s.timely(late, of, lag)
	s.kept, s.loaded = &kept, loaded
}

// latest is how much of the load began late where that is too much, else how much of all
// streams did.
func (s *Scope) latest(late, of int) (int, int) {
	for _, x := range s.loads() {
		if float64(x.late) > lateShare*float64(x.asked) {
			return x.late, x.asked
		}
	}
	return late, of
}

func (s *Scope) timely(late, of int, lag time.Duration) bool {
	return float64(late) <= lateShare*float64(of) && lag < s.lagBound()
}

// asked is how many streams the load itself asked for.
func (s *Scope) asked() (n int) {
	for i := range s.Streams {
		if paced(s.Streams[i].Stream) {
			n++
		}
	}
	return n
}

// lagBound is how late we may read. The kernel's stamps do not suffer from it,
// but our own limits do: a stream whose bytes wait in the socket looks silent.
func (s *Scope) lagBound() time.Duration {
	if !s.kernelClock() {
		return userLag
	}
	if gap := s.Scenario.Policy.GapLimit; gap > 0 {
		return gap / 2
	}
	return 5 * time.Second
}

func (s *Scope) kernelClock() bool { return s.clock() == record.KernelClock }

// clock is what stamps arrivals.
func (s *Scope) clock() record.Clock { return s.Run.Plan.Host.Clock }

func (s *Scope) lagP99() time.Duration {
	lags := make([]time.Duration, 0, len(s.Streams))
	for i := range s.Streams {
		lags = append(lags, s.Streams[i].Lag)
	}
	slices.Sort(lags)
	return Quantile(lags, 0.99)
}

func (s *Scope) generator() Generator {
	late := 0
	for i := range s.Streams {
		if s.Streams[i].Late {
			late++
		}
	}
	return s.generatorWith(late, s.lagP99())
}

// generatorWith is the generator's report for so many streams that started late, and
// a reading lag.
func (s *Scope) generatorWith(late int, lag time.Duration) Generator {
	inWaves := 0
	for _, w := range s.Waves {
		inWaves += w.LateStarts
	}
	return Generator{LagP99: lag.Seconds(), LateStarts: max(inWaves, late), Clock: string(s.clock())}
}

// startOf is when a stream began, or would have.
func startOf(st *record.Stream) time.Duration {
	if st.Send != record.Never {
		return st.Send
	}
	return st.Sched
}
