package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// memoryKill (E9) explains cuts by the kernel. Only its own counters and events
// prove it: process managers guess "out of memory" for any SIGKILL.
type memoryKill struct{}

func (memoryKill) match(v *view) []*finding {
	kills, lines := v.oomKills(), v.oomLines()
	if kills == 0 && len(v.tags[oomKiller]) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return isCut(g) || g.Grade.Outcome == verdict.Refused })
	from := v.oomSubjects()
	ms := slices.DeleteFunc(v.matchDeaths(gs, diedByMemory, diedByKill, diedByExit), func(m match) bool {
		elsewhere := len(from) > 0 && !slices.ContainsFunc(from, m.Graded.MayBeOn)
		return exitedItself(m.death) || elsewhere
	})
	gs = gradedOf(ms)
	if len(gs) == 0 {
		return nil
	}
	name, what := MemoryKillWorker, fact{Kind: FactOneProcess}
	if v.containerDied() || v.podOOM() || wasFirst(gs) {
		name, what = MemoryKillAll, fact{Kind: FactContainer}
	}
	f := found(name, layerKernel, certain, gs).
		tell(fact{Kind: FactKernelKilled, N: len(gs), About: []fact{what}}).
		see(lines...).show(cite(v.tags[oomKiller], 2)...).show(cite(v.tags[workerKill], 2)...).see(tightest(gs),
		workersLine(gs)).
		notIf(v.noWorkerTimeout(), "worker timeout", fact{Kind: NotWorkerTimeout}).
		notIf(kills > 0, "worker killed by somebody", fact{Kind: NotByOOMCounter}).
		notIf(v.podOOM(), "worker killed by somebody", fact{Kind: NotByKubernetes})
	if name == MemoryKillAll {
		f.see(v.comeback())
	}
	if kills == 0 && !v.podOOM() && !slices.ContainsFunc(ms, func(m match) bool { return m.death.kind != diedByMemory }) {
		f.Confidence = likely // the kernel's line may be about another program
	}
	return one(f)
}

// exitedItself reports whether a process ended with a code of its own. The kernel leaves
// it none; of the workers of a process manager none is known.
func exitedItself(d death) bool { return d.kind == diedByExit && d.what.Need != 0 }

// oomSubjects are the replicas that had a process killed for memory, as far as the kernel
// says which.
func (v *view) oomSubjects() []string {
	var from []string
	last := map[string]int64{}
	for _, e := range v.Events {
		if !replicaName.MatchString(e.Subject) {
			continue
		}
		before, known := last[e.Subject]
		if isOOMCounter(e) {
			last[e.Subject] = e.Value
		}
		if e.Kind == record.KindOOM || isOOMCounter(e) && e.Value > before && (known || e.Value > 0) {
			from = append(from, e.Subject)
		}
	}
	return from
}

// oomKills is how often the kernel killed: by how much its counters rose, or by
// its events where there is no counter. A single reading is of a counter that
// began with its container; one that falls began again with it.
func (v *view) oomKills() int64 {
	var rose, events int64
	last, readings := map[string]int64{}, map[string]int{}
	for _, e := range v.Events {
		switch {
		case isOOMCounter(e):
			if n := readings[e.Subject]; n > 0 {
				rose += max(0, e.Value-last[e.Subject])
			}
			last[e.Subject] = e.Value
			readings[e.Subject]++
		case e.Kind == record.KindOOM:
			events++
		}
	}
	for name, n := range readings {
		if n == 1 {
			rose += last[name]
		}
	}
	return max(rose, events)
}

func isOOMCounter(e record.Event) bool {
	return e.Of(record.OOMCounter)
}

// oomLines are the kernel's words in the order in which they came: of a counter
// the last one, of what is told again and again the first.
func (v *view) oomLines() []fact {
	type speaker struct {
		kind    record.EventKind
		subject string
	}
	var order []speaker
	said := map[speaker]fact{}
	for _, e := range v.Events {
		who := speaker{e.Kind, e.Subject}
		switch {
		case isOOMCounter(e) && e.Value > 0:
			if said[who].Kind == "" {
				order = append(order, who)
			}
			said[who] = fact{Kind: FactCgroup, Name: e.Reading(), More: e.Value, Took: e.At, Text: e.Text}
		case said[who].Kind != "":
		case e.Kind == record.KindOOM, e.Kind == record.KindDie, e.Kind == record.KindOOMKilled:
			order = append(order, who)
			said[who] = fact{Kind: FactKernelSaid, Name: e.Subject, Place: string(e.Source), Took: e.At, Text: e.Text,
				N: e.Code, About: []fact{{Kind: FactKindOfEvent, Name: string(e.Kind)}}}
		}
	}
	var out []fact
	for _, who := range order {
		out = append(out, said[who])
	}
	return out[:min(4, len(out))]
}

// comeback says how long the service was away after its container died: until it
// was started again, and until a new stream had its first event; or for how long it was
// seen not to start.
func (v *view) comeback() fact {
	died, started, served, until := record.Never, record.Never, record.Never, record.Never
	for _, e := range v.Events {
		switch {
		case e.Source == record.DockerSource && e.Kind == record.KindDie && died == record.Never:
			died = e.At
		case e.Source == record.DockerSource && e.Kind == record.KindStart && died != record.Never &&
			started == record.Never:
			started = e.At
		case e.Source == record.HarnessSource && e.Kind == record.KindClosing && until == record.Never:
			until = e.At
		}
	}
	if died == record.Never {
		return fact{}
	}
	for i := range v.Streams {
		if g := &v.Streams[i]; startOf(g) > died && g.First != record.Never && (served == record.Never ||
			g.First < served) {
			served = g.First
		}
	}
	switch {
	case started == record.Never:
		return fact{Kind: FactNotStartedAgain, Took: max(0, until-died)}
	case served == record.Never:
		return fact{Kind: FactStartedAgain, Took: started - died}
	}
	return fact{Kind: FactServedAgain, Took: started - died, Bound: served - died}
}

// wasFirst reports whether one of the streams was served by the first process of
// a container: nothing of it outlives that one.
func wasFirst(gs []*verdict.Graded) bool {
	return slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Content.Worker == "1" })
}

// containerDied reports whether the container went with the process: a die that
// no kill of anybody's announced.
func (v *view) containerDied() bool {
	died, announced := false, false
	for _, e := range v.Events {
		if e.Source == record.DockerSource {
			died = died || e.Kind == record.KindDie
			announced = announced || e.Kind == record.KindKill
		}
	}
	return died && !announced
}
