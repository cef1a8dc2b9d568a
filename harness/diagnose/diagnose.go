package diagnose

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Report judges a run and fills in the causes of every scenario.
func Report(run *record.Run) *verdict.Report { return ReportScopes(run, verdict.Scopes(run)) }

// ReportScopes is [Report] for a run that has been sorted and graded already.
func ReportScopes(run *record.Run, scopes []verdict.Scope) *verdict.Report {
	r := verdict.JudgeScopes(run, scopes)
	for i := range scopes {
		s := &r.Scenarios[i]
		s.Causes = rank(Causes(&scopes[i]), s.Checks)
		s.Warnings = warnings(&scopes[i])
		s.Doubts = slices.Concat(s.Doubts, doubts(s.Causes), joinedDoubt(&scopes[i]))
	}
	return r
}

// Causes explains the streams of one scenario that broke a promise, the most
// certain cause first. It is empty where none did, and never nil.
func Causes(s *verdict.Scope) []verdict.Cause {
	v := newView(s)
	causes := []verdict.Cause{}
	if len(v.open) == 0 {
		return causes
	}
	var found []*finding
	for order, r := range rules {
		for _, f := range r.match(v) {
			f.order = order
			v.capByTime(f)
			bound := v.bind(f)
			switch {
			case bound == nil:
				v.reopen(f)
			case bound != f && joined(found, bound):
				v.explain(bound)
			default:
				found = append(found, bound)
				v.explain(bound)
			}
		}
	}
	found = append(found, v.launderedAsWell(found)...)
	found = v.ofOneReplica(found)
	slices.SortStableFunc(found, compare)
	for _, f := range found {
		v.prescribe(f)
		v.orOtherPod(f)
		v.quote(f)
		if !names(found, OneReplica) {
			v.orReplica(f)
		}
	}
	for _, f := range fold(found) {
		causes = append(causes, f.cause())
	}
	return causes
}

// A rule recognises one family of causes among the streams that no earlier rule
// explained.
type rule interface {
	match(*view) []*finding
}

// rules are in the order of their turns.
var rules = []rule{
	selfInflicted{},
	pods{},
	busy{},
	redirected{},
	mistaken{},
	content{},
	said{},
	ownedDeadline{},
	edgeGaveUpRule{},
	grace{},
	leftOut{},
	injected{},
	waiting{},
	cutInFront{},
	idleTimeout{},
	edgeReloaded{},
	edgeDied{},
	readTimeout{},
	deadline{},
	resources{},
	laundered{},
	endedEarly{},
	workerTimeout{},
	memoryKill{},
	killed{},
	lengthLie{},
	appError{},
	cut{},
	refused{},
	idling{},
	buffering{},
	blockedLoop{},
	threadPool{},
	queue{},
	stalled{},
	slow{},
	leak{},
}

// compare ranks findings. What we injected explains much and accuses nobody, so
// that it stands behind every cause that is at least likely.
func compare(a, b *finding) int {
	return cmp.Or(cmp.Compare(a.hop(), b.hop()), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.order, b.order),
		cmp.Compare(len(b.streams), len(a.streams)))
}

// doubts turn causes that are no more than possible into doubts.
func doubts(causes []verdict.Cause) []verdict.Doubt {
	var ds []verdict.Doubt
	for _, c := range causes {
		if c.Confidence == possible && c.Next != nil {
			ds = append(ds, verdict.Doubt{About: "cause: " + c.Cause, Cause: c.Cause, Fact: c.Fact, Next: c.Next})
		}
	}
	return ds
}
