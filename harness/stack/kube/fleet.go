package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/scratch"
)

// A Fleet is load workers in the pods of an Indexed Job, whose completion indexes are
// their shares of the load.
//
//		we ─▶ API server ─▶ kubelet ─▶ port 7070 of each pod's loopback
//
//	 1. Start deletes the Jobs of runs that were killed (job.go), creates its own, waits
//	    until all pods run, and connects to each by port-forward.
//	 2. A worker serves this one connection, and ends when it does: whatever becomes of us,
//	    its pod ends. What it measures comes over that connection at once, so that nothing
//	    is kept in the cluster, and nothing of the load, which may hold secrets, is
//	    written there.
//	 3. Close deletes the Job and waits until its pods have gone. Where we were killed, the
//	    cluster deletes the Job itself a minute after its pods have ended.
type Fleet struct {
	job    harness.FleetJob
	client *client
	err    error // of the login

	closing sync.Mutex      // makes Close wait for Close
	name    string          // of the Job; "" while there is none
	folder  *scratch.Folder // lives as long as we do, see [orphan]; nil once it was removed
}

var _ harness.LoadFleet = (*Fleet)(nil)

// NewFleet returns the fleet that a Job is. Nothing is sent to the cluster.
func NewFleet(f harness.Fleet) harness.LoadFleet {
	x := &Fleet{job: f.Kubernetes}
	x.client, x.err = login("fleet.kubernetes", x.job.Context, x.job.Namespace)
	return x
}

// Defaults of a [harness.FleetJob].
const (
	fleetStart  = 3 * time.Minute
	fleetCPU    = "500m"
	fleetMemory = "512Mi"
)

// startLimit is how long all pods may take to run. A worker waits longer for us: we connect
// when the last of them runs.
func (f *Fleet) startLimit() time.Duration { return cmp.Or(f.job.Start, fleetStart) }

// fleetRights are the least that a fleet needs, as a Role grants them.
var fleetRights = []right{
	{"create", "batch", "jobs", ""}, {"list", "batch", "jobs", ""}, {"delete", "batch", "jobs", ""},
	{"get", "", "pods", ""}, {"list", "", "pods", ""}, {"create", "", "pods", "portforward"},
	{"list", "", "events", ""},
}

// Check implements [harness.LoadFleet].
func (f *Fleet) Check(ctx context.Context) error {
	if f.err != nil {
		return f.err
	}
	if _, err := f.image(); err != nil {
		return err
	}
	return f.client.mayAll(ctx, fleetRights)
}

// Start implements [harness.LoadFleet].
func (f *Fleet) Start(ctx context.Context) (workers []harness.LoadWorker, err error) {
	if f.err != nil {
		return nil, f.err
	}
	defer func() {
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			err = nil // the user has stopped the run
		}
		for _, w := range workers {
			err = errors.Join(err, w.Conn.Close())
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
		defer cancel()
		workers, err = nil, errors.Join(err, f.Close(ending))
	}()
	if err := f.sweep(ctx); err != nil {
		return nil, fmt.Errorf("look for Jobs of runs that were killed: %w", err)
	}
	if err := f.create(ctx); err != nil {
		return nil, err
	}
	limit := f.startLimit()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	pods, err := f.await(bounded, limit)
	if err != nil {
		return nil, err
	}
	workers = make([]harness.LoadWorker, 0, len(pods))
	for _, pod := range pods {
		w, err := f.connect(bounded, pod)
		if err != nil {
			return workers, fmt.Errorf("connect to load worker in pod %s: %w", pod, err)
		}
		workers = append(workers, harness.LoadWorker{Conn: w, Words: func() string { return f.words(pod) }})
	}
	return workers, nil
}

// create creates the Job.
func (f *Fleet) create(ctx context.Context) error {
	image, err := f.image()
	if err != nil {
		return err
	}
	if f.folder, err = scratch.Dir("fleet"); err != nil {
		return err
	}
	name := jobName()
	err = f.client.ask(ctx, http.MethodPost, f.client.in("batch/v1", "jobs"), "application/json",
		f.manifest(name, image, host()+" "+f.folder.Path), nil)
	if err == nil {
		f.name = name
		return nil
	}
	if !refused(err, http.StatusForbidden) && !refused(err, http.StatusUnprocessableEntity) {
		f.name = name // it may be there all the same
	}
	return fmt.Errorf("create Job %s in namespace %s: %w", name, f.client.namespace, err)
}

// pollEvery is how often the pods are looked at until all run.
const pollEvery = 250 * time.Millisecond

// await waits until a worker runs in a pod for each share, and names the pods in the
// order of the shares.
func (f *Fleet) await(ctx context.Context, limit time.Duration) (names []string, err error) {
	var why string
	for {
		pods, err := f.pods(ctx)
		if err == nil {
			if names = running(pods, f.job.Workers); names != nil {
				return names, nil
			}
			var never bool
			if why, never = f.stuck(ctx, pods); never {
				return nil, fmt.Errorf("start Job %s: %s", f.name, why)
			}
		} else if ctx.Err() == nil {
			return nil, fmt.Errorf("look at the pods of Job %s: %w", f.name, err)
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return nil, fmt.Errorf("start Job %s: %d of %d load workers run after %v%s; fleet.kubernetes.start "+
					"gives them longer", f.name, count(pods), f.job.Workers, limit, prefixed(": ", why))
			}
			return nil, ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

func prefixed(by, s string) string {
	if s == "" {
		return ""
	}
	return by + s
}

// pods are those of the Job.
func (f *Fleet) pods(ctx context.Context) ([]object, error) {
	return f.client.objects(ctx, f.client.in("v1", "pods"), url.Values{"labelSelector": {"job-name=" + f.name}})
}

// indexNote is the annotation that says which share a pod of an Indexed Job has.
const indexNote = "batch.kubernetes.io/job-completion-index"

// running are the names of the pods by their share, nil unless all run.
func running(pods []object, n int) []string {
	names := make([]string, n)
	for i := range pods {
		p := &pods[i]
		k, err := strconv.Atoi(p.Metadata.Annotations[indexNote])
		if err == nil && k < n && runs(p) {
			names[k] = p.Metadata.Name
		}
	}
	if slices.Contains(names, "") {
		return nil
	}
	return names
}

// runs reports whether the worker of a pod runs.
func runs(pod *object) bool {
	c := pod.Status.of(workerContainer)
	return c != nil && c.State.Running != nil
}

// count is how many of the pods run.
func count(pods []object) (n int) {
	for i := range pods {
		if runs(&pods[i]) {
			n++
		}
	}
	return n
}

// stuck says what is in the way of the pods, "" if nothing is known; never says that no
// time will mend it.
func (f *Fleet) stuck(ctx context.Context, pods []object) (why string, never bool) {
	for i := range pods {
		p := &pods[i]
		c := p.Status.of(workerContainer)
		if c != nil && c.State.Terminated != nil {
			return "pod " + p.Metadata.Name + " ended: " + ending(c.State.Terminated), true
		}
		if s := p.Status.stuck(); s != "" {
			why = "pod " + p.Metadata.Name + ": " + oneLine(s)
			if c != nil && c.State.Waiting != nil && slices.Contains(hopeless, c.State.Waiting.Reason) {
				return why, true
			}
		}
	}
	if len(pods) >= f.job.Workers {
		return why, false
	}
	// What the Job may not create shows in its Events alone.
	events, err := f.client.objects(ctx, f.client.in("v1", "events"), url.Values{"fieldSelector": {
		"involvedObject.kind=Job,involvedObject.name=" + f.name}})
	if err != nil {
		return why, false // asked again in a moment
	}
	for i := range events {
		if e := &events[i]; e.Reason == "FailedCreate" && e.InvolvedObject.Name == f.name {
			return "its pods may not be created: " + oneLine(e.Message), true
		}
	}
	return why, false
}

// hopeless are reasons for which a container waits that the cluster may try again for
// ever: an image that is not there.
var hopeless = []string{"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
	"CreateContainerConfigError", "CreateContainerError"}

// ending says how a container has ended.
func ending(t *terminated) string {
	return fmt.Sprintf("%s, exit code %d", cmp.Or(t.Reason, "ended"), t.ExitCode)
}

// wordsLimit is how long the cluster may take to say why a worker has gone: the kubelet
// tells of an end up to a second late.
const wordsLimit = 4 * time.Second

// words are what the cluster says of a worker that has gone.
func (f *Fleet) words(pod string) string {
	ctx, cancel := context.WithTimeout(context.Background(), wordsLimit)
	defer cancel()
	for {
		said, known := f.said(ctx, pod)
		if known {
			return "pod " + pod + prefixed(": ", said)
		}
		select {
		case <-ctx.Done():
			return "pod " + pod
		case <-time.After(pollEvery):
		}
	}
}

// said is why a pod does not serve any more; known is false while it seems to.
func (f *Fleet) said(ctx context.Context, pod string) (why string, known bool) {
	p, err := f.client.get(ctx, f.client.in("v1", "pods", pod))
	switch {
	case refused(err, http.StatusNotFound):
		return "it was deleted", true
	case err != nil:
		return "", away(err)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == "DisruptionTarget" && c.Status == "True" {
			return oneLine(c.Reason + ": " + c.Message), true
		}
	}
	if c := p.Status.of(workerContainer); c != nil && c.State.Terminated != nil {
		if c.State.Terminated.ExitCode == 0 {
			return "its connection broke off", true
		}
		return ending(c.State.Terminated), true
	}
	if p.Status.Reason != "" {
		return oneLine(p.Status.Reason + ": " + p.Status.Message), true
	}
	if p.Metadata.DeletionTimestamp != nil {
		return "it was deleted", true
	}
	return "", false
}

// Close implements [harness.LoadFleet].
func (f *Fleet) Close(ctx context.Context) error {
	f.closing.Lock()
	defer f.closing.Unlock()
	var err error
	if f.name != "" {
		if err = f.gone(ctx); err == nil {
			f.name = ""
		}
	}
	if f.folder != nil {
		err = errors.Join(err, f.folder.Remove())
		f.folder = nil
	}
	return err
}

// gone deletes the Job and waits until its pods have gone.
func (f *Fleet) gone(ctx context.Context) error {
	if err := f.delete(ctx, f.name); err != nil {
		return err
	}
	left := &harness.PodsLeft{Context: f.job.Context, Namespace: f.client.namespace, Job: f.name}
	for {
		pods, err := f.pods(ctx)
		switch {
		case err == nil && len(pods) == 0:
			return nil
		case err == nil:
			left.N, left.Err = len(pods), nil
		case ctx.Err() == nil || left.N == 0 && left.Err == nil:
			left.N, left.Err = 0, err
		}
		select {
		case <-ctx.Done():
			return left
		case <-time.After(pollEvery):
		}
	}
}
