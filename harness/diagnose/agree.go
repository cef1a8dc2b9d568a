package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An otherEnd is the end of something that may not be the app's.
type otherEnd struct {
	hit
	cause string // what it would be, were it the app's
}

// endedBy is of which cause a line would be evidence.
var endedBy = map[tag]string{
	workerTimedOut: WorkerKilled, workerAborted: WorkerKilled, workerKill: WorkerKilled, workerCrashed: WorkerKilled,
	graceOver: GraceTooShort, exception: AppError, traceback: AppError, oomKiller: MemoryKillWorker,
}

// causesOfKube are the same for ends that the cluster tells.
var causesOfKube = map[deathKind]string{diedByMemory: MemoryKillAll, diedByTerm: GraceTooShort,
	diedByKill: WorkerKilled, diedByExit: WorkerKilled}

// agree finds the only group of lines of which nobody knows whose they are that ends as
// the streams did: each of their moments is beside one of its ends, none of which is left
// over, and there are no more moments than ends.
func (v *view) agree() {
	cut := keep(v.open, func(g *verdict.Graded) bool {
		return (isCut(g) || g.Grade.Outcome == verdict.Refused) && !g.Struck && g.End != record.Never
	})
	ends, own := v.workloadEnds()
	beside := func(h hit) bool {
		return slices.ContainsFunc(cut, func(g *verdict.Graded) bool { return h.near(g.End) })
	}
	if len(cut) == 0 || slices.ContainsFunc(own, beside) {
		return
	}
	t := v.workloads
	var only *told
	for _, e := range ends {
		group := t.group(e.told)
		if !beside(e.hit) || only != nil && *only == group {
			continue
		}
		if only != nil {
			return // two fit
		}
		only = &group
	}
	if only == nil {
		return
	}
	ends = slices.DeleteFunc(ends, func(e workloadEnd) bool { return t.group(e.told) != *only })
	if v.sameMoments(cut, ends) {
		t.agreeing[*only] = true
	}
}

// A workloadEnd is the end of a pod, of one of its processes, or of a request in it.
type workloadEnd struct {
	told
	hit
	once bool // of a request
}

// workloadEnds are the ends with a time in lines of which nobody knows whose they are, and
// those that are the app's.
func (v *view) workloadEnds() (ends []workloadEnd, own []hit) {
	add := func(h hit, once bool) {
		x, says := v.workloads.lines[lineKey{h.log, h.line.N}]
		switch s := v.whoseLine(h.log, h.line.N); {
		case h.line.At == record.Never:
		case s == theApps && (!says || x.pod != ""):
			own = append(own, h)
		case s == anyones && x.pod != "":
			ends = append(ends, workloadEnd{x, h, once})
		}
	}
	for _, l := range v.logs[record.KubernetesLog] {
		for i := range l.Kube {
			if _, ok := kubeDeath(&l.Kube[i]); ok {
				add(hit{log: l, line: l.Lines[i]}, false)
			}
		}
	}
	for i := range v.tags {
		if _, ok := endedBy[tag(i)]; ok {
			for _, h := range v.tags[i] {
				add(h, tag(i) == exception || tag(i) == traceback)
			}
		}
	}
	return ends, own
}

// sameMoments compares the ends of streams with those of a group.
func (v *view) sameMoments(cut []*verdict.Graded, ends []workloadEnd) bool {
	last := time.Duration(0)
	for i := range v.Streams {
		last = max(last, v.Streams[i].End)
	}
	many := moments(cut)
	type place struct {
		pod string
		at  time.Duration
	}
	n := 0
	var seen []place // one end of a pod is told several times
	for _, e := range ends {
		if e.line.At > last+lineAfter {
			continue
		}
		if !slices.ContainsFunc(cut, func(g *verdict.Graded) bool { return e.near(g.End) }) {
			return false
		}
		again := slices.ContainsFunc(seen, func(p place) bool {
			return p.pod == e.pod && (p.at-e.line.At).Abs() <= 2*stampUnit
		})
		if e.once || !again {
			n++
			seen = append(seen, place{e.pod, e.line.At})
		}
	}
	return len(many) <= n && !slices.ContainsFunc(many, func(gs []*verdict.Graded) bool {
		return !slices.ContainsFunc(ends, func(e workloadEnd) bool { return e.near(gs[0].End) })
	})
}

// capByTime takes the certainty of a finding that rests on pods of which nothing says that
// they are the app's.
func (v *view) capByTime(f *finding) {
	if f.Confidence != certain || !f.ownFault() {
		return
	}
	for _, e := range f.Evidence {
		if x, ok := v.podByTime(e); ok {
			f.Confidence = likely
			f.see(x.fact(FactPodByTime)).settle(x.fact(NextOwnPods))
			return
		}
	}
}

// fact names the pod, and says in Place if it is a service.
func (x told) fact(k record.FactKind) fact {
	f := fact{Kind: k, Name: x.pod}
	if x.service {
		f.Place = string(OfService)
	}
	return f
}

// A Runner is what runs what a fact of whose.go is about.
type Runner string

// OfService stands in the Place of a fact about a service of docker compose or of a process
// manager; it is empty where the fact is about a pod.
const OfService Runner = "service"

// podByTime is what a line cited is about, where byTime holds for it.
func (v *view) podByTime(e record.Evidence) (told, bool) {
	for i := range v.Run.Logs {
		l := &v.Run.Logs[i]
		x, ok := v.workloads.lines[lineKey{l, e.Line}]
		if ok && l.Name == e.Log && v.workloads.standing(x) == byTime {
			return x, true
		}
	}
	return told{}, false
}

// maxOthers bounds the lines about other pods that are cited for one cause.
const maxOthers = 2

// orOtherPod adds to a guess the ends of pods of which nobody knows whether they are the
// app's, and says of those that are not that they are others'.
func (v *view) orOtherPod(f *finding) {
	if f.Confidence != possible || f.Injected || f.Layer == layerHarness {
		return
	}
	n := 0
	for _, o := range v.others {
		if n == maxOthers {
			return
		}
		beside := slices.ContainsFunc(f.streams, func(g *verdict.Graded) bool {
			return (isCut(g) || g.Grade.Outcome == verdict.Refused) && o.line.At != record.Never && o.near(g.End)
		})
		if !beside || o.citedIn(f.Evidence) {
			continue
		}
		n++
		x := v.workloads.lines[lineKey{o.log, o.line.N}]
		if v.whoseLine(o.log, o.line.N) == anothers {
			f.show(o.remarked(x.fact(FactPodOther)))
			continue
		}
		f.show(o.remarked(x.fact(FactPodUnknown)))
		f.or(o.cause, x.fact(MayOtherPod)).settle(x.fact(NextOwnPods))
	}
}
