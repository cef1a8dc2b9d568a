package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fleet"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// Jobs are those of a fake API server: their pods are workers of this process. The
// server's lock guards them.
type jobs struct {
	t       *testing.T
	lock    *sync.Mutex
	all     map[string]*job
	deleted []string
	running sync.WaitGroup

	stuck  string // the reason for which containers wait
	quota  string // why no pod may be created
	broken bool   // pods end as soon as they run

	unforced map[string]*job // deleted, while a node that has gone keeps the pods; nil for none
}

type job struct {
	manifest map[string]any
	pods     []*worker
}

type worker struct {
	name  string
	addr  string
	stop  context.CancelFunc
	ended *terminated
}

// leftNoJob fails the test where a Job is still there.
func (f *fake) leftNoJob(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.jobs.all) > 0 {
		t.Errorf("Jobs left: %v", f.jobs.all)
	}
}

// withJobs has a fake API server run Jobs.
func withJobs(t *testing.T) *fake {
	f := newFake(t, hello)
	f.jobs = &jobs{t: t, lock: &f.mu, all: map[string]*job{}}
	t.Cleanup(func() {
		f.mu.Lock()
		for name := range f.jobs.all {
			f.jobs.remove(name)
		}
		f.mu.Unlock()
		f.jobs.running.Wait()
	})
	return f
}

func (j *jobs) serve(w http.ResponseWriter, r *http.Request, last string) bool {
	query := r.URL.Query()
	switch {
	case last == "jobs" && r.Method == http.MethodPost:
		var m map[string]any
		json.NewDecoder(r.Body).Decode(&m)
		j.create(m)
		fmt.Fprint(w, `{}`)
	case last == "jobs":
		items := []any{}
		for _, x := range j.all {
			items = append(items, x.manifest)
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	case strings.Contains(r.URL.Path, "/jobs/") && r.Method == http.MethodDelete:
		j.remove(last)
		fmt.Fprint(w, `{}`)
	case last == "pods" && strings.HasPrefix(query.Get("labelSelector"), "job-name="):
		items := []any{}
		name := strings.TrimPrefix(query.Get("labelSelector"), "job-name=")
		if x := cmp.Or(j.all[name], j.unforced[name]); x != nil {
			for i, p := range x.pods {
				items = append(items, j.pod(i, p))
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	case last == "events" && query.Get("fieldSelector") != "":
		items := []any{}
		if j.quota != "" {
			_, name, _ := strings.Cut(query.Get("fieldSelector"), "involvedObject.name=")
			items = append(items, map[string]any{"reason": "FailedCreate", "message": j.quota,
				"involvedObject": map[string]any{"kind": "Job", "name": name}})
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	case strings.Contains(r.URL.Path, "/pods/streamproof-") && r.Method == http.MethodGet:
		for _, x := range j.all {
			for i, p := range x.pods {
				if p.name == last {
					json.NewEncoder(w).Encode(j.pod(i, p))
					return true
				}
			}
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message": "pods %q not found"}`, last)
	default:
		return false
	}
	return true
}

func (j *jobs) create(m map[string]any) {
	name := m["metadata"].(map[string]any)["name"].(string)
	x := &job{manifest: m}
	j.all[name] = x
	if j.quota != "" {
		return
	}
	for i := range int(m["spec"].(map[string]any)["completions"].(float64)) {
		p := &worker{name: fmt.Sprintf("%s-%d-x", name, i)}
		x.pods = append(x.pods, p)
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			j.t.Error(err)
			return
		}
		p.addr = l.Addr().String()
		l.Close()
		var ctx context.Context
		ctx, p.stop = context.WithCancel(context.Background())
		wait := x.wait(j.t)
		j.running.Go(func() {
			if err := (fleet.Worker{Version: "v1"}).Listen(ctx, p.addr, wait); err != nil {
				j.t.Log(err)
			}
			j.lock.Lock()
			defer j.lock.Unlock()
			if p.ended == nil {
				p.ended = &terminated{Reason: "Completed"}
			}
		})
		if j.broken {
			p.ended = &terminated{ExitCode: 3, Reason: "Error"}
		}
	}
}

// wait is how long the workers of a Job wait for their parent.
func (x *job) wait(t *testing.T) time.Duration {
	var m struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []struct{ Args []string } }
			}
		}
	}
	text, err := json.Marshal(x.manifest)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Error(err)
		return 0
	}
	args := m.Spec.Template.Spec.Containers[0].Args
	wait, err := time.ParseDuration(args[slices.Index(args, "--wait")+1])
	if err != nil {
		t.Error(err)
	}
	return wait
}

func (j *jobs) remove(name string) {
	j.deleted = append(j.deleted, name)
	if x := j.all[name]; x != nil {
		for _, p := range x.pods {
			p.stop()
		}
	}
	if j.unforced != nil {
		j.unforced[name] = j.all[name]
	}
	delete(j.all, name)
}

func (j *jobs) addr(pod string) string {
	for _, x := range j.all {
		for _, p := range x.pods {
			if p.name == pod {
				return p.addr
			}
		}
	}
	return "127.0.0.1:1"
}

func (j *jobs) pod(i int, p *worker) map[string]any {
	state := map[string]any{"running": map[string]any{}}
	switch {
	case p.ended != nil:
		state = map[string]any{"terminated": map[string]any{"exitCode": p.ended.ExitCode, "reason": p.ended.Reason}}
	case j.stuck != "":
		state = map[string]any{"waiting": map[string]any{"reason": j.stuck, "message": "it is not there"}}
	}
	return map[string]any{"kind": "Pod", "metadata": map[string]any{"name": p.name,
		"annotations": map[string]string{indexNote: strconv.Itoa(i)}},
		"status": map[string]any{"containerStatuses": []any{map[string]any{"name": "worker", "state": state}}}}
}

var fourWorkers = harness.Fleet{Kubernetes: harness.FleetJob{Workers: 4, Image: "streamproof:here"}}

// members are what package fleet makes of load workers.
func members(workers []harness.LoadWorker) (list []fleet.Member) {
	for _, w := range workers {
		list = append(list, fleet.Member{Conn: w.Conn, Words: w.Words})
	}
	return list
}

// wave is a load of eight streams of the app that hello is.
func (f *fake) wave(path string) fleet.Wave {
	return fleet.Wave{Scenario: "s", Method: "GET", Streams: 8, Total: 8, First: 1, Dialect: "text",
		Ask: fleet.Ask{Sentinel: "world"}, Limits: tap.Limits{Connect: time.Second, Headers: 5 * time.Second, First: 5 * time.Second,
			Gap: 5 * time.Second, Total: 20 * time.Second},
		Deal: load.Deal{Path: path, Targets: map[record.Group]load.Target{
			record.Load: {Group: record.Load, Hop: "app", URL: f.pod.URL}}}}
}

// The workers of a Job send a load as workers on this machine do, and nothing is left of
// it.
func TestFleetOfAJob(t *testing.T) {
	f := withJobs(t)
	x := NewFleet(fourWorkers)
	if err := x.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	workers, err := x.Start(t.Context())
	if err != nil || len(workers) != 4 {
		t.Fatalf("%d workers, %v", len(workers), err)
	}
	began := time.Now()
	var mu sync.Mutex
	whole := 0
	all := fleet.Muster(t.Context(), fleet.Options{Version: "v1", Seed: 7, Now: func() time.Duration { return time.Since(began) },
		Begin: func(*record.Stream) {}, Done: func(s *record.Stream) {
			mu.Lock()
			defer mu.Unlock()
			if s.Content.State == stream.Complete && s.Status == 200 {
				whole++
			}
		}}, members(workers))
	rec, came, err := all.Drive(t.Context(), f.wave("/"))
	if err != nil || rec.Started != 8 || whole != 8 {
		t.Errorf("%d streams began, %d were whole, %v", rec.Started, whole, err)
	}
	for _, w := range came {
		if w.State != record.LoadWorkerDone || w.Started != 2 {
			t.Errorf("%s: %+v", w.Name(), w)
		}
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := x.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.jobs.all) > 0 || len(f.jobs.deleted) != 1 {
		t.Errorf("Jobs left: %v, deleted: %v", f.jobs.all, f.jobs.deleted)
	}
}

// A worker that is lost is named by its pod, with what the cluster says of its end.
func TestLostWorkerOfAJob(t *testing.T) {
	f := withJobs(t)
	x := NewFleet(fourWorkers)
	workers, err := x.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	all := fleet.Muster(t.Context(), fleet.Options{Version: "v1", Now: func() time.Duration { return time.Since(began) },
		Begin: func(*record.Stream) {}, Done: func(*record.Stream) {}}, members(workers))
	lost := ""
	time.AfterFunc(500*time.Millisecond, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, j := range f.jobs.all {
			lost = j.pods[2].name
			j.pods[2].ended = &terminated{ExitCode: 137, Reason: "OOMKilled"}
			j.pods[2].stop()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, came, err := all.Drive(ctx, f.wave("/long"))
	if err != nil {
		t.Error(err)
	}
	i := slices.IndexFunc(came, func(w record.LoadWorker) bool { return w.State == record.LoadWorkerLost })
	f.mu.Lock()
	want := "pod " + lost + ": OOMKilled, exit code 137"
	f.mu.Unlock()
	if i < 0 || came[i].Index != 2 || came[i].Why != want {
		t.Errorf("got %+v, want worker 3 lost: %s", came, want)
	}
	if err := errors.Join(all.Close(), x.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

// What keeps a fleet from starting is one line, and nothing is left.
func TestFleetSaysWhyNot(t *testing.T) {
	short := fourWorkers
	short.Kubernetes.Start = time.Second
	for name, c := range map[string]struct {
		fleet harness.Fleet
		set   func(*fake)
		usage bool // before anything is started
		want  string
	}{
		"no such context": {harness.Fleet{Kubernetes: harness.FleetJob{Workers: 1, Image: "x", Context: "none"}}, nil, true, "none"},
		"no image":        {harness.Fleet{Kubernetes: harness.FleetJob{Workers: 1}}, nil, true, "no release"},
		"no permission":   {fourWorkers, func(f *fake) { f.denied["create jobs"] = true }, true, "may not create jobs in namespace shop"},
		"no port-forward": {fourWorkers, func(f *fake) { f.denied["create pods/portforward"] = true }, true, "may not create pods/portforward"},
		"API server away": {fourWorkers, (*fake).stop, true, "does not answer"},
		"image not there": {fourWorkers, func(f *fake) { f.jobs.stuck = "ErrImagePull" }, false, "ErrImagePull of container worker: it is not there"},
		"quota":           {fourWorkers, func(f *fake) { f.jobs.quota = "exceeded quota: pods=2" }, false, "its pods may not be created: exceeded quota: pods=2"},
		"ended at once":   {fourWorkers, func(f *fake) { f.jobs.broken = true }, false, "ended: Error, exit code 3"},
		"no node":         {short, func(f *fake) { f.jobs.stuck = "Unschedulable" }, false, "0 of 4 load workers run after 1s: pod"},
		"API server away in the middle": {fourWorkers, func(f *fake) {
			f.answers["GET /api/v1/namespaces/shop/pods"] = 503
			time.AfterFunc(time.Second, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				delete(f.answers, "GET /api/v1/namespaces/shop/pods")
			})
		}, false, "look at the pods of Job"},
	} {
		t.Run(name, func(t *testing.T) {
			f := withJobs(t)
			if c.set != nil {
				c.set(f)
			}
			x := NewFleet(c.fleet)
			err := x.Check(t.Context())
			var usage *harness.UsageError
			if errors.As(err, &usage) != c.usage || c.usage != (err != nil) {
				t.Fatalf("Check says %v", err)
			}
			if err == nil {
				_, err = x.Start(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.fleet.Kubernetes.Start > 0 && !strings.Contains(fmt.Sprint(err), "; fleet.kubernetes.start gives them longer") {
				t.Errorf("the key that gives them longer is not named: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			f.leftNoJob(t)
		})
	}
}

// A Job that a killed run has left goes with the next start; one of a run that lives, here
// or on another host, stays.
func TestJobsOfKilledRunsAreDeleted(t *testing.T) {
	f := withJobs(t)
	gone, there := filepath.Join(t.TempDir(), "gone"), t.TempDir()
	add := func(name, parent string, status map[string]any) {
		f.jobs.all[name] = &job{manifest: map[string]any{"kind": "Job", "metadata": map[string]any{"name": name,
			"annotations": map[string]string{parentNote: parent}}, "status": status}}
	}
	finished := map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}}
	add("finished", "elsewhere "+there, finished)
	add("killed", host()+" "+gone, map[string]any{"active": 2})
	add("killed-and-serves", host()+" "+gone, map[string]any{"active": 2, "ready": 2})
	add("lives", host()+" "+there, map[string]any{"active": 2})
	add("elsewhere", "elsewhere "+gone, map[string]any{"active": 2})
	x := NewFleet(fourWorkers)
	workers, err := x.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	slices.Sort(f.jobs.deleted)
	if want := []string{"finished", "killed"}; !slices.Equal(f.jobs.deleted, want) {
		t.Errorf("deleted: %v, want %v", f.jobs.deleted, want)
	}
	f.mu.Unlock()
	for _, w := range workers {
		go io.Copy(io.Discard, w.Conn) // ends with it
		if err := w.Conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := x.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A worker waits for its parent longer than the last of the pods may take to run.
func TestWorkersWaitUntilAllRun(t *testing.T) {
	newFake(t, hello)
	for start, want := range map[time.Duration]time.Duration{0: fleetStart, time.Second: time.Second, time.Hour: time.Hour} {
		c := fourWorkers
		c.Kubernetes.Start = start
		x := NewFleet(c).(*Fleet)
		if got := (&job{manifest: x.manifest("n", "i", "p")}).wait(t); got < want+time.Minute {
			t.Errorf("started in %v, they wait for %v", start, got)
		}
	}
}

// What would be created can be read before it is.
func TestManifestsOfAFleet(t *testing.T) {
	newFake(t, hello)
	job := fourWorkers
	job.Kubernetes.NodeSelector = map[string]string{"pool": "load"}
	text, err := NewFleet(job).Manifests()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kind: Role", "kind: Job", "pods/portforward", "completionMode: Indexed", "pool: load",
		"image: streamproof:here", "namespace: shop", "runAsNonRoot: true"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "activeDeadlineSeconds") {
		t.Errorf("a load that lasts for days would be cut off:\n%s", text)
	}
}

// Where one pod cannot be connected to, those that are take no time to end.
func TestConnectedWorkersEndAtOnce(t *testing.T) {
	for name, stop := range map[string]func(context.CancelFunc){
		"error": func(context.CancelFunc) {}, "Ctrl-C": func(cancel context.CancelFunc) { time.AfterFunc(500*time.Millisecond, cancel) }} {
		t.Run(name, func(t *testing.T) {
			f := withJobs(t)
			f.answers["-3-x/portforward"] = 503
			short := fourWorkers
			short.Kubernetes.Start = time.Second
			x := NewFleet(short)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stop(cancel)
			began := time.Now()
			workers, err := x.Start(ctx)
			if len(workers) > 0 || (err == nil) != (ctx.Err() != nil) {
				t.Errorf("%d workers, %v", len(workers), err)
			}
			if took := time.Since(began); took > goodbye {
				t.Errorf("it took %v", took)
			}
			f.leftNoJob(t)
		})
	}
}

// Pods that stay where a node has gone are counted; where they cannot be, it is said why.
func TestPodsThatStay(t *testing.T) {
	for name, code := range map[string]int{"counted": 0, "unknown": 503} {
		t.Run(name, func(t *testing.T) {
			f := withJobs(t)
			f.jobs.unforced = map[string]*job{}
			x := NewFleet(fourWorkers)
			workers, err := x.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range workers {
				if err := w.Conn.Close(); err != nil {
					t.Error(err)
				}
			}
			f.mu.Lock()
			if code != 0 {
				f.answers["GET /api/v1/namespaces/shop/pods"] = code
			}
			f.mu.Unlock()
			ctx, cancel := context.WithTimeout(t.Context(), 3*pollEvery)
			defer cancel()
			err = x.Close(ctx)
			var left *harness.PodsLeft
			if !errors.As(err, &left) {
				t.Fatalf("got %v", err)
			}
			known := code == 0
			if left.Namespace != "shop" || !strings.HasPrefix(left.Job, "streamproof-") || (left.N == 4) != known ||
				(left.Err == nil) != known || !known && !strings.Contains(left.Err.Error(), "answer 503") {
				t.Errorf("got %+v", left)
			}
		})
	}
}

// A message may be larger than a frame of SPDY.
func TestLargeMessageReachesAWorker(t *testing.T) {
	f := withJobs(t)
	one := fourWorkers
	one.Kubernetes.Workers = 1
	x := NewFleet(one)
	workers, err := x.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	all := fleet.Muster(t.Context(), fleet.Options{Version: "v1", Now: func() time.Duration { return time.Since(began) },
		Begin: func(*record.Stream) {}, Done: func(*record.Stream) {}}, members(workers))
	wave := f.wave("/")
	wave.Prompts = []string{strings.Repeat("a", 1<<24)} // no request asks for it
	rec, came, err := all.Drive(t.Context(), wave)
	if err != nil || rec.Started != 8 || len(came) != 1 || came[0].State != record.LoadWorkerDone {
		t.Errorf("%d streams began, %+v, %v", rec.Started, came, err)
	}
	if err := errors.Join(all.Close(), x.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
