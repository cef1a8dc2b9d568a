package kube

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// Pods are those of the workload, as the watch tells of them.
type pods struct {
	s *Stack

	mu      sync.Mutex // guards what follows
	all     map[string]*pod
	next    int           // number of the replica that comes next
	changed chan struct{} // closed, and made anew, with every change
}

// A pod is one replica. It keeps its name when it has gone.
type pod struct {
	object
	replica string
	number  int
	asked   time.Duration // when it was told to go; [record.Never] while it was not
	gone    bool
	ready   bool
	ran     string // the container that runs, or ran last
	ended   string // the container that has ended last

	crashed bool            // it ends as hard as it can, at our word
	apart   bool            // the cluster ends it of its own accord
	told    map[string]bool // containers of which the end is known
}

func newPods(s *Stack) *pods {
	return &pods{s: s, all: map[string]*pod{}, changed: make(chan struct{})}
}

// update takes in what is told of a pod, and tells what is new in it.
func (ps *pods) update(o object, gone bool) {
	at := ps.s.spec.Now()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.all[o.Metadata.Name]
	if p == nil || p.Metadata.UID != o.Metadata.UID { // a StatefulSet gives a name again
		p = &pod{replica: chain.ReplicaName(ps.next), number: ps.next, asked: record.Never,
			told: map[string]bool{}}
		ps.next++
		ps.all[o.Metadata.Name] = p
	}
	p.object = o
	ps.news(p, at, gone)
	if gone {
		p.gone = true
	}
	close(ps.changed)
	ps.changed = make(chan struct{})
}

// news tells what has changed. ps.mu is held.
func (ps *pods) news(p *pod, at time.Duration, gone bool) {
	s, name := ps.s, p.Metadata.Name
	if c := p.Status.disrupted(); c != nil && !p.apart {
		p.apart = true
		s.tell(at, record.KindDisrupted, p.replica, 0, oneLine(c.Reason+": "+c.Message))
	}
	if p.Metadata.DeletionTimestamp != nil && p.asked == record.Never {
		grace := time.Duration(0)
		if g := p.Metadata.DeletionGracePeriodSeconds; g != nil {
			grace = time.Duration(*g) * time.Second
		}
		p.asked = at
		kind, signal := record.KindStop, 15
		if grace == 0 || p.crashed { // nobody is asked
			kind, signal = record.KindKill, 9
		}
		s.tell(at, kind, p.replica, signal, fmt.Sprintf("pod %s is deleted, grace %v", name, grace))
	}
	if c := p.Status.of(s.container); c != nil {
		ps.containerNews(p, c, at)
	}
	if ready := p.Status.is("Ready") && !gone; ready != p.ready {
		p.ready = ready
		if ready {
			s.tell(at, record.KindReady, p.replica, 0, "pod "+name)
		}
	}
}

// containerNews tells of the container's ends and starts. ps.mu is held.
func (ps *pods) containerNews(p *pod, c *containerStatus, at time.Duration) {
	s := ps.s
	for _, end := range []*terminated{c.LastState.Terminated, c.State.Terminated} {
		if end == nil || end.ContainerID == "" || p.told[end.ContainerID] {
			continue
		}
		p.ended, p.told[end.ContainerID] = end.ContainerID, true
		ps.ended(p, end, at)
	}
	if r := c.State.Running; r != nil && c.ContainerID != p.ran {
		p.ran = c.ContainerID
		s.tell(ps.since(p, r.StartedAt, early, at), record.KindStart, p.replica, 0, "pod "+p.Metadata.Name)
		s.logs.follow(p.number, p.Metadata.Name)
	}
}

// ended tells of the end of a container that was not told before.
func (ps *pods) ended(p *pod, end *terminated, at time.Duration) {
	if end.ContainerID != p.ran && end.FinishedAt != nil && at-time.Since(*end.FinishedAt)+early < ps.s.opened {
		return // of another scenario, or before the run: we have not seen it run
	}
	when := ps.since(p, end.FinishedAt, early, at)
	text := fmt.Sprintf("pod %s: %s, exit code %d", p.Metadata.Name, cmp.Or(end.Reason, "ended"), end.ExitCode)
	if end.forMemory() && !ps.outOfGrace(p, end, at) {
		late := ps.since(p, end.FinishedAt, time.Second, at)
		ps.s.tell(late, record.KindOOM, p.replica, end.ExitCode, text)
		ps.s.tell(late, record.KindOOMKilled, p.replica, end.ExitCode, text)
	}
	ps.s.tell(when, record.KindExit, p.replica, end.ExitCode, text)
}

// outOfGrace reports whether a pod that was told to go may have been killed for its grace.
func (ps *pods) outOfGrace(p *pod, end *terminated, at time.Duration) bool {
	grace := p.Metadata.DeletionGracePeriodSeconds
	if p.asked == record.Never || grace == nil || end.ExitCode != byKill {
		return false
	}
	return ps.since(p, end.FinishedAt, time.Second, at) >= p.asked+time.Duration(*grace)*time.Second
}

// early is how far into its second the end of a container is put: streams that it cut may
// seem to end up to a second later, through the port-forward. Kills for memory are taken to
// be told late, and are put at the end of theirs.
const early = 250 * time.Millisecond

// since is when something happened to a pod, of which the API names the second alone: so
// far into that second, not before the pod was told to go, where it was, and not after now.
func (ps *pods) since(p *pod, t *time.Time, into, now time.Duration) time.Duration {
	if t == nil {
		return now
	}
	return min(max(now-time.Since(*t)+into, p.asked), now)
}

// only forgets pods that are not among names: they have gone while nobody looked.
func (ps *pods) only(names map[string]bool) {
	ps.mu.Lock()
	var missed []object
	for name, p := range ps.all {
		if !names[name] && !p.gone {
			missed = append(missed, p.object)
		}
	}
	ps.mu.Unlock()
	for _, o := range missed {
		ps.update(o, true)
	}
}

// named is the replica that a pod is; "" for a pod that is not ours.
func (ps *pods) named(name string) string {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.all[name]; p != nil {
		return p.replica
	}
	return ""
}

// crash notes that a pod is to end at once, and not as one that is asked to.
func (ps *pods) crash(p *pod) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if now := ps.all[p.Metadata.Name]; now != nil && now.Metadata.UID == p.Metadata.UID {
		now.crashed = true
	}
}

// living are the pods that are there, have not ended, and were not told to go, in the order
// of their numbers.
func (ps *pods) living() (list []pod) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.all {
		if !p.gone && !p.Status.over() && p.asked == record.Never {
			list = append(list, *p)
		}
	}
	slices.SortFunc(list, func(a, b pod) int { return cmp.Compare(a.number, b.number) })
	return list
}

// find is the pod that a replica is.
func (ps *pods) find(replica string) (pod, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(ps.all)) {
		if p := ps.all[name]; p.replica == replica {
			return *p, nil
		}
	}
	return pod{}, fmt.Errorf("find replica: there is no %q", replica)
}

// await waits until enough holds, which is asked again whenever something has changed.
func (ps *pods) await(ctx context.Context, enough func() bool) error {
	for {
		ps.mu.Lock()
		changed := ps.changed
		ps.mu.Unlock()
		if enough() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ps.s.broken:
			return ps.s.cause()
		case <-changed:
		case <-time.After(time.Second): // what is asked for may hang on other things, too
		}
	}
}

// left reports whether a pod of that UID has gone.
func (ps *pods) left(name, uid string) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.all[name]
	return p == nil || p.gone || p.Metadata.UID != uid
}

// up reports whether so many pods are ready, whoever is on the way out.
func (ps *pods) up(want int) bool {
	ready := 0
	for _, p := range ps.living() {
		if p.ready {
			ready++
		}
	}
	return ready >= want
}

// settled reports whether so many pods are ready, and no other one is there.
func (ps *pods) settled(want int) bool {
	list := ps.living()
	ready := 0
	for _, p := range list {
		if p.ready && p.Status.of(ps.s.container) != nil {
			ready++
		}
	}
	return ready == want && len(list) == want && len(ps.leaving()) == 0
}

// overdue is how long after the end of its grace a pod may still be taken to go.
const overdue = 10 * time.Second

// leaving are the names of the pods that are on their way out. One that is still there long
// after its grace is kept by its finalizers, or by a node that has gone.
func (ps *pods) leaving() (names []string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.all {
		t := p.Metadata.DeletionTimestamp // asked and grace
		if !p.gone && !p.Status.over() && t != nil && time.Since(*t) < overdue {
			names = append(names, p.Metadata.Name)
		}
	}
	slices.Sort(names)
	return names
}

// routedAll reports whether the Service sends to each living pod.
func (ps *pods) routedAll() bool {
	for _, p := range ps.living() {
		if _, ok := ps.s.route.of(p.Metadata.Name); !ok {
			return false
		}
	}
	return true
}

// stuck says why pods do not come up, one line each.
func (ps *pods) stuck() (lines []string) {
	for _, p := range ps.living() {
		if why := p.Status.stuck(); why != "" && !p.ready {
			lines = append(lines, "pod "+p.Metadata.Name+": "+oneLine(why))
		}
	}
	for _, name := range ps.leaving() {
		lines = append(lines, "pod "+name+": Terminating")
	}
	return lines
}
