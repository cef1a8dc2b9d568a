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
	asked, started, of := 0, 0, ""
	for _, w := range s.Waves {
		if w.Clients > 0 && s.Scenario.Load.Turns > 0 {
			of = "session" // and the single streams before them, each like one
		}
		asked += w.Asked
		started += w.Begun()
	}
	if float64(started) < reached*float64(asked) {
		return unsure(name, next(NextLargerMachine), fact{Kind: FactLoadShort, N: started, Of: asked, Name: of,
			Need: int(math.Ceil(reached * float64(asked)))}).obliges()
	}
	return pass(name, fact{Kind: FactLoad, N: started, Of: asked, Name: of}).obliges()
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
	if !s.timely(late, of, lag) {
		return unsure(name, next(NextLargerMachine),
			fact{Kind: FactLagged, N: late, Of: of, Share: lateShare, Took: lag, Bound: s.lagBound()}).obliges()
	}
	return pass(name, fact{Kind: FactKeptUp, N: late, Took: lag, Name: string(s.clock())}).obliges()
}

// keptUp is asked by every check on time.
func (s *Scope) keptUp() bool {
	if s.kept == nil { // of thousands of streams each that was late asks
		kept := s.timely(s.generator().LateStarts, s.asked(), s.lagP99())
		s.kept = &kept
	}
	return *s.kept
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
