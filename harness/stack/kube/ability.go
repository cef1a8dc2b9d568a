package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/scratch"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// failed says why the API did not do something: the cluster is away, the login may not,
// or what the API server says.
func (s *Stack) failed(what, right string, err error) error {
	switch {
	case err == nil:
		return nil
	case s.cause() != nil:
		return s.cause()
	case refused(err, http.StatusForbidden):
		return &stack.Unable{What: what, Why: "the login of the kubeconfig may not " + right + " in namespace " +
			s.client.namespace, Settle: "grant that by a Role"}
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case away(err):
		s.lost(errors.New(harness.Reason(err)))
		return s.cause()
	}
	return fmt.Errorf("%s: %w", what, err)
}

// grace is what the pods' own manifest gives them between SIGTERM and SIGKILL.
func (s *Stack) grace() time.Duration { return graceOf(&s.work.Spec.Template.Spec) }

// defaultGrace is that of Kubernetes.
const defaultGrace = 30 * time.Second

func graceOf(p *podSpec) time.Duration {
	if p.TerminationGracePeriodSeconds == nil {
		return defaultGrace
	}
	return time.Duration(*p.TerminationGracePeriodSeconds) * time.Second
}

// beyond is how much longer than its grace a pod may take to go.
const beyond = 30 * time.Second

// Stop implements [stack.Stopper]: it evicts the pod, as kubectl drain does, and returns
// when it has gone. The pod has the grace of its manifest; one that is given shortens it, and
// never lengthens it: a cluster would not give more either.
func (s *Stack) Stop(ctx context.Context, replica string, grace time.Duration) error {
	p, err := s.pods.find(replica)
	if err != nil {
		return err
	}
	own := graceOf(&p.Spec.podSpec)
	options := deletion(&p)
	if grace > 0 && grace < own {
		own = max(grace, time.Second)
		options["gracePeriodSeconds"] = int64(own / time.Second)
	}
	if err := s.evict(ctx, &p, options); err != nil {
		return s.evicted(&p, err)
	}
	return s.awaitLeft(ctx, &p, own+beyond)
}

// evict asks for the end of a pod. One that has gone needs no more.
func (s *Stack) evict(ctx context.Context, p *pod, options map[string]any) error {
	err := s.client.ask(ctx, http.MethodPost, s.client.in("v1", "pods", p.Metadata.Name, "eviction"), "application/json",
		map[string]any{"apiVersion": "policy/v1", "kind": "Eviction",
			"metadata":      map[string]string{"name": p.Metadata.Name, "namespace": s.client.namespace},
			"deleteOptions": options}, nil)
	if refused(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// evicted says why a pod was not evicted.
func (s *Stack) evicted(p *pod, err error) error {
	what := "evict pod " + p.Metadata.Name
	if refused(err, http.StatusTooManyRequests) {
		return &stack.Unable{What: what, Why: "a PodDisruptionBudget forbids it now: " + oneLine(err.Error()),
			Settle: "let the budget allow one disruption, or run more pods"}
	}
	return s.failed(what, "create pods/eviction", err)
}

// deletion are the options of the end of that pod, and no other of its name.
func deletion(p *pod) map[string]any {
	return map[string]any{"preconditions": map[string]string{"uid": p.Metadata.UID}}
}

// awaitLeft waits until a pod has gone.
func (s *Stack) awaitLeft(ctx context.Context, p *pod, limit time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.pods.await(bounded, func() bool { return s.pods.left(p.Metadata.Name, p.Metadata.UID) })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &stack.Unable{What: "see the end of pod " + p.Metadata.Name,
			Why: fmt.Sprintf("it is still there after %v", limit), Settle: "look for finalizers, and for what its node does"}
	}
	return err
}

// Start implements [stack.Stopper]. The workload's controller has begun already: it waits
// until all pods that are wanted are ready.
func (s *Stack) Start(ctx context.Context, _ string) error {
	return s.pods.await(ctx, func() bool { return s.pods.up(s.want()) })
}

// Crash implements [stack.Crasher]: it deletes the pod with no grace. The API forgets the
// pod at once; the kubelet then still sends SIGTERM, and SIGKILL within about 2 s. A pod of a
// StatefulSet has 1 s, as the kubelet has to say that it has gone: the next one has its name
// and its volume, of which there may never be two.
func (s *Stack) Crash(ctx context.Context, replica string) (string, error) {
	p, err := s.pods.find(replica)
	if err != nil {
		return "", err
	}
	grace := 0
	if s.app.StatefulSet != "" {
		grace = 1
		s.pods.crash(&p)
	}
	options := deletion(&p)
	options["gracePeriodSeconds"] = grace
	what := "delete pod " + p.Metadata.Name
	err = s.client.ask(ctx, http.MethodDelete, s.client.in("v1", "pods", p.Metadata.Name), "application/json",
		options, nil)
	if err != nil && !refused(err, http.StatusNotFound) {
		return "", s.failed(what, "delete pods", err)
	}
	return fmt.Sprintf("pod %s deleted with grace %d", p.Metadata.Name, grace), s.awaitLeft(ctx, &p, beyond)
}

// want is how many pods the workload is to have now.
func (s *Stack) want() int {
	s.scaling.Lock()
	defer s.scaling.Unlock()
	return s.number
}

// scale gives the workload another number of replicas, and keeps the user's own.
func (s *Stack) scale(ctx context.Context, n int) error {
	parent, err := s.parent()
	if err != nil {
		return err
	}
	l := loan{s.own, n, parent}
	_, err = s.client.patch(ctx, s.path, map[string]any{"spec": map[string]int{"replicas": n},
		"metadata": map[string]any{"annotations": map[string]string{original: l.String()}}})
	if err == nil {
		s.scaled = true
		s.set(n)
	}
	return s.failed(fmt.Sprintf("scale to %d replicas", n), "patch "+s.kind()+".apps", err)
}

// parent says whose doing a change of the cluster is: a host, and a folder there that lives
// as long as we do.
func (s *Stack) parent() (string, error) {
	if s.folder == nil {
		var err error
		if s.folder, err = scratch.Dir("cluster"); err != nil {
			return "", err
		}
	}
	return host() + " " + s.folder.Path, nil
}

func (s *Stack) set(n int) {
	s.scaling.Lock()
	defer s.scaling.Unlock()
	s.number = n
}

func (s *Stack) kind() string {
	kind, _ := s.app.Workload()
	return kind + "s"
}

// giveBack gives the workload its own number of replicas again. Where it has another one
// than ours by now, somebody has set that, and it stays.
func (s *Stack) giveBack(ctx context.Context) error {
	work, err := s.client.get(ctx, s.path)
	if err == nil {
		change := map[string]any{"metadata": map[string]any{"annotations": map[string]any{original: nil}}}
		if wanted(&work) == s.want() {
			change["spec"] = map[string]int{"replicas": s.own}
		}
		work, err = s.client.patch(ctx, s.path, change)
	}
	if err == nil {
		s.work, s.scaled = work, false
		s.set(wanted(&work))
	}
	return s.failed(fmt.Sprintf("give back %d replicas", s.own), "patch "+s.kind()+".apps", err)
}

// AddReplica implements [stack.Scaler].
func (s *Stack) AddReplica(ctx context.Context) (stack.Replica, error) {
	before := s.pods.living()
	if err := s.scale(ctx, s.want()+1); err != nil {
		return stack.Replica{}, err
	}
	if err := s.awaitUp(ctx, "add a replica", 1); err != nil {
		return stack.Replica{}, err
	}
	for _, r := range s.Replicas() {
		if !slices.ContainsFunc(before, func(p pod) bool { return p.replica == r.Name }) {
			return r, nil
		}
	}
	return stack.Replica{}, errors.New("add a replica: no new pod was seen")
}

// awaitUp waits until all pods are ready of which some are new.
func (s *Stack) awaitUp(ctx context.Context, what string, fresh int) error {
	limit := s.spec.App.Start * time.Duration(max(fresh, 1))
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.pods.await(bounded, func() bool { return s.pods.up(s.want()) && s.pods.routedAll() })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return s.notReady(ctx, what, limit)
	}
	return err
}

// notReady says that new pods did not come up.
func (s *Stack) notReady(ctx context.Context, what string, limit time.Duration) error {
	why := fmt.Sprintf("not all pods are ready after %v", limit)
	if stuck := s.stuck(ctx); len(stuck) > 0 {
		why += ": " + stuck[0]
	}
	return &stack.Unable{What: what, Why: why, Settle: "make room for one more pod, or raise app.start"}
}

// stuck says why pods do not come up, as far as that is known: of pods that are not made, and
// of those that are.
func (s *Stack) stuck(ctx context.Context) []string {
	var lines []string
	kind, name := s.app.Workload()
	if work, err := s.client.get(ctx, s.path); err == nil && work.Status.forbidden() != "" {
		lines = append(lines, kind+" "+name+": "+oneLine(work.Status.forbidden()))
	}
	return append(lines, s.pods.stuck()...)
}

// deletionCost is the annotation by which a ReplicaSet chooses the pod that goes first.
const deletionCost = "controller.kubernetes.io/pod-deletion-cost"

// RemoveReplica implements [stack.Scaler].
func (s *Stack) RemoveReplica(ctx context.Context, replica string) error {
	p, err := s.pods.find(replica)
	if err != nil {
		return err
	}
	switch {
	case s.app.StatefulSet != "":
		return notHere("remove a chosen replica", "a StatefulSet removes the pod with the highest number only")
	case s.want() < 2:
		return fmt.Errorf("remove replica %s: it is the last one", replica)
	}
	_, err = s.client.patch(ctx, s.client.in("v1", "pods", p.Metadata.Name),
		map[string]any{"metadata": map[string]any{"annotations": map[string]string{deletionCost: "-1000"}}})
	if err != nil {
		return s.failed("choose pod "+p.Metadata.Name+" to go first", "patch pods", err)
	}
	if err := s.scale(ctx, s.want()-1); err != nil {
		return err
	}
	return s.awaitLeft(ctx, &p, graceOf(&p.Spec.podSpec)+beyond)
}

// Roll implements [stack.Roller]: it restarts the workload as kubectl rollout restart
// does, and returns when no old pod is left.
func (s *Stack) Roll(ctx context.Context, going func(replica string)) error {
	what := "restart the " + strings.TrimSuffix(s.kind(), "s")
	work, err := s.client.get(ctx, s.path)
	if err != nil {
		return s.failed(what, "get "+s.kind()+".apps", err)
	}
	if cannot := work.unrolled(); cannot != nil {
		return cannot
	}
	old := s.pods.living()
	_, err = s.client.patch(ctx, s.path, map[string]any{"spec": map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{
			"kubectl.kubernetes.io/restartedAt": time.Now().UTC().Format(time.RFC3339Nano)}}}}})
	if err != nil {
		return s.failed(what, "patch "+s.kind()+".apps", err)
	}
	limit := time.Duration(len(old)) * (s.spec.App.Start + s.grace())
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	told := map[string]bool{}
	err = s.pods.await(bounded, func() bool {
		left := 0
		for _, o := range old {
			p, err := s.pods.find(o.replica)
			if err == nil && p.asked == record.Never && !p.gone {
				left++
				continue
			}
			if !told[o.replica] {
				told[o.replica] = true
				going(o.replica)
			}
			if err == nil && !p.gone {
				left++
			}
		}
		return left == 0 && s.pods.up(s.want())
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return s.notReady(ctx, "finish the rollout", limit)
	}
	return err
}

// unrolled says why a workload would not replace all of its pods for a new template; nil where
// it does.
func (o *object) unrolled() error {
	what, u := "restart "+o.Metadata.Name, o.Spec.UpdateStrategy
	switch {
	case o.Spec.Paused:
		return &stack.Unable{What: what, Why: "its rollout is paused", Settle: "kubectl rollout resume deployment/" +
			o.Metadata.Name}
	case u.Type == "OnDelete":
		return &stack.Unable{What: what, Why: "its updateStrategy, OnDelete, replaces a pod only when somebody deletes it",
			Settle: "set updateStrategy: {type: RollingUpdate}"}
	case u.RollingUpdate != nil && u.RollingUpdate.Partition > 0:
		return &stack.Unable{What: what, Why: fmt.Sprintf("it replaces pods from number %d on only",
			u.RollingUpdate.Partition), Settle: "set updateStrategy.rollingUpdate.partition to 0"}
	}
	return nil
}

// Pause implements [stack.Pauser].
func (s *Stack) Pause(context.Context, string) error {
	return notHere("freeze a replica", "Kubernetes has no way to freeze a container")
}

// Unpause implements [stack.Pauser].
func (s *Stack) Unpause(context.Context, string) error { return nil }

// Processes implements [stack.Killer], by a command in each pod's container.
func (s *Stack) Processes(ctx context.Context) (all []stack.Process, err error) {
	for _, p := range s.pods.living() {
		ps, err := s.processes(ctx, &p)
		if err != nil {
			return nil, err
		}
		for _, q := range ps {
			q.Replica = p.replica
			all = append(all, q.Process)
		}
	}
	slices.SortStableFunc(all, func(a, b stack.Process) int { // masters come before their workers
		return rank(a.Role) - rank(b.Role)
	})
	return all, nil
}

// processes are those of one pod.
func (s *Stack) processes(ctx context.Context, p *pod) ([]chain.Process, error) {
	out, err := s.exec(ctx, p.Metadata.Name, chain.ListScript)
	what := "see the processes of pod " + p.Metadata.Name
	if ran(err) {
		return nil, &stack.Unable{What: what, Why: "its container ran no shell: " + quoted(err), App: true,
			Settle: "put sh and tr into the image"}
	}
	if err != nil {
		return nil, s.failed(what, "create pods/exec", err)
	}
	ps := chain.ParseList(out)
	chain.Assign(1, ps)
	return ps, nil
}

func rank(role string) int {
	return slices.Index([]string{stack.RoleMaster, stack.RoleWorker, stack.RoleHelper}, role)
}

// Signal implements [stack.Killer].
func (s *Stack) Signal(ctx context.Context, p stack.Process, sig int) error {
	what := fmt.Sprintf("send %v to pid %d of %s", syscall.Signal(sig), p.Pid, p.Replica)
	if p.Pid == 1 && (sig == int(syscall.SIGKILL) || sig == int(syscall.SIGSTOP)) {
		return notHere(what, "the kernel keeps that signal from the first process of a container, if it comes from inside")
	}
	_, err := s.run(ctx, what, p, fmt.Sprintf("kill -%d %d", sig, p.Pid))
	return err
}

// run runs a script in the container of a process.
func (s *Stack) run(ctx context.Context, what string, p stack.Process, script string) (string, error) {
	pod, err := s.pods.find(p.Replica)
	if err != nil {
		return "", err
	}
	out, err := s.exec(ctx, pod.Metadata.Name, script)
	if ran(err) {
		return "", &stack.Unable{What: what, Why: quoted(err), Settle: "look at what its container may do"}
	}
	return oneLine(out), s.failed(what, "create pods/exec", err)
}

// Blame implements [stack.Blamer]. What the process had before is given back once the
// memory has been filled: its container may live on.
func (s *Stack) Blame(ctx context.Context, p stack.Process) error {
	file := fmt.Sprintf("/proc/%d/oom_score_adj", p.Pid)
	had, err := s.run(ctx, fmt.Sprintf("have pid %d of %s killed first", p.Pid, p.Replica), p,
		"read had <"+file+" && echo 1000 >"+file+" && echo $had")
	if _, bad := strconv.Atoi(had); err == nil && bad == nil {
		s.pardon = "echo " + had + " >" + file
	}
	return err
}

// A container is asked to take so much more than its limit, in shares of which each is
// smaller than a process of an app; in MiB.
const (
	over       = 64
	leastShare = 8
	shares     = 64
)

// FillMemory implements [stack.Filler]. Without a limit of its own a container would take
// its node's memory, and is left alone.
func (s *Stack) FillMemory(ctx context.Context, replica string, _ int64) error {
	p, err := s.pods.find(replica)
	if err != nil {
		return err
	}
	what := "fill the memory of pod " + p.Metadata.Name
	limit := s.memoryLimit(&p.Spec.podSpec)
	if limit == 0 {
		return notHere(what, "its container has no memory limit, and the memory of its node is not ours to fill")
	}
	before, err := s.processes(ctx, &p)
	if err != nil {
		return err
	}
	defer func() { // whoever was blamed has died, mostly
		_, _ = s.exec(context.WithoutCancel(ctx), p.Metadata.Name, cmp.Or(s.pardon, ":")+" 2>/dev/null || :")
		s.pardon = ""
	}()
	mib := limit >> 20
	out, err := s.exec(ctx, p.Metadata.Name, fillScript, fillScript, strconv.FormatInt(mib+over, 10),
		strconv.FormatInt(max(leastShare, mib/shares), 10))
	if (ran(err) || !strings.Contains(out, "killed")) && s.died(ctx, &p) {
		return nil // its first process was killed, and our script with it
	}
	if err != nil && !ran(err) {
		return s.failed(what, "create pods/exec", err)
	}
	_, counts, killed := strings.Cut(oneLine(out), "killed ")
	f := strings.Fields(counts)
	if !killed || len(f) < 2 {
		return &stack.Unable{What: what, Why: "the kernel killed nobody (" + oneLine(out+" "+fmt.Sprint(err)) + ")",
			Settle: "look at the container's memory limit, and whether its image has sh"}
	}
	if after, err := s.processes(ctx, &p); err == nil && survived(before, after) {
		return &stack.Unable{What: what, Why: "the kernel killed the process that filled it, and none of the app",
			Settle: "raise oom_score_adj of the app, or lower that of what it shares its container with"}
	}
	for i, text := range f[:2] {
		n, _ := strconv.ParseInt(text, 10, 64)
		s.spec.Notify(stack.Event{At: s.spec.Now(), Source: record.CgroupSource, Kind: record.KindCounter, Subject: replica,
			Counter: record.OOMCounter, Value: n, Text: strings.Join(f[:1+i], " → ")})
	}
	return nil
}

// survived reports whether all processes of before are among those of after.
func survived(before, after []chain.Process) bool {
	for _, p := range before {
		if !slices.ContainsFunc(after, func(q chain.Process) bool { return q.Pid == p.Pid && q.Command == p.Command }) {
			return false
		}
	}
	return true
}

// diedLimit bounds the wait for the kubelet's news of an end.
const diedLimit = 5 * time.Second

// died reports whether the container that ran in p has ended.
func (s *Stack) died(ctx context.Context, p *pod) bool {
	bounded, cancel := context.WithTimeout(ctx, diedLimit)
	defer cancel()
	return s.pods.await(bounded, func() bool {
		now, err := s.pods.find(p.replica)
		return err != nil || now.gone || now.ended == p.ran
	}) == nil
}
