package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

func TestMain(m *testing.M) {
	if os.Getenv("STREAMPROOF_KUBE") != "" { // client-go keeps its connections to a real cluster
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(audited{m})
}

// audited are the tests of this package, which fail where they have asked a cluster for what the README does not grant.
type audited struct{ *testing.M }

func (m audited) Run() int {
	code := m.M.Run()
	all := code == 0
	for _, only := range []string{"test.run", "test.skip", "test.list"} {
		all = all && flag.Lookup(only).Value.String() == ""
	}
	for _, wrong := range asked.amiss(all) {
		fmt.Fprintln(os.Stderr, wrong)
		code = max(code, 1)
	}
	return code
}

// hello answers and keeps the connection, as a stream does.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "hello ")
	w.(http.Flusher).Flush()
	if r.URL.Path == "/long" {
		<-r.Context().Done()
	}
	fmt.Fprint(w, "world")
})

func open(t *testing.T, spec stack.Spec) (*Stack, *told, error) {
	t.Helper()
	var all told
	spec.LogDir, spec.Notify = t.TempDir(), all.add
	if spec.App.Start == 0 {
		spec.App.Start = 5 * time.Second
	}
	s, err := New(chat).Open(t.Context(), spec)
	if err != nil {
		return nil, &all, err
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s.(*Stack), &all, nil
}

func ask(url string) (replica, body string, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.Header.Get(stack.ReplicaHeader), string(text), err
}

// What is not there, or may not be done, is one line that names the place and the fix,
// before anything is changed.
func TestCheckSaysWhyNot(t *testing.T) {
	for name, c := range map[string]struct {
		app   stack.Kubernetes
		port  int
		set   func(*fake)
		place string
		want  string
	}{
		"no such context":   {stack.Kubernetes{Context: "none", Deployment: "chat", Service: "chat"}, 0, nil, "app.kubernetes", "none"},
		"no deployment":     {stack.Kubernetes{Deployment: "none", Service: "chat"}, 0, nil, "app.kubernetes.deployment", "in namespace shop"},
		"no service":        {stack.Kubernetes{Deployment: "chat", Service: "none"}, 0, nil, "app.kubernetes.service", "not found"},
		"no such port":      {chat, 81, nil, "app.port", "name one of 80"},
		"no container":      {stack.Kubernetes{Deployment: "chat", Service: "chat", Container: "web"}, 0, nil, "app.kubernetes.container", "name one of app"},
		"may not read":      {chat, 0, func(f *fake) { f.answers["/deployments/"] = 403 }, "app.kubernetes.deployment", "may not get deployments.apps"},
		"login not known":   {chat, 0, func(f *fake) { f.answers["/deployments/"] = 401 }, "app.kubernetes.context", "log in again"},
		"may not forward":   {chat, 0, func(f *fake) { f.denied["create pods/portforward"] = true }, "app.kubernetes", "may not create pods/portforward"},
		"may not watch":     {chat, 0, func(f *fake) { f.denied["watch pods"] = true }, "app.kubernetes", "may not watch pods"},
		"API server away":   {chat, 0, (*fake).stop, "app.kubernetes", "does not answer"},
		"API server ailing": {chat, 0, func(f *fake) { f.answers["/deployments/"] = 503 }, "app.kubernetes", "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			if c.set != nil {
				c.set(f)
			}
			err := New(c.app).(*Opener).Check(t.Context(), stack.App{Port: c.port})
			var usage *harness.UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			if usage.Place != c.place || !strings.Contains(usage.Error(), c.want) || usage.Fix == "" || strings.Contains(usage.Error(), "\n") {
				t.Errorf("got %q, want one line of %s with %q and a fix", usage, c.place, c.want)
			}
		})
	}
	f := newFake(t, hello)
	if err := New(chat).(*Opener).Check(t.Context(), stack.App{}); err != nil {
		t.Errorf("all is well, and Check says %v", err)
	}
	if f.replicas != 2 || len(f.notes) > 0 {
		t.Errorf("Check left %d replicas, annotations %v", f.replicas, f.notes)
	}
}

// What runs in the cluster finds the app by its Service: by its address, which needs no
// DNS, or by its name where that leads to the pods themselves. A link is on this machine.
func TestAddressFromInside(t *testing.T) {
	f := newFake(t, hello)
	for dial, spec := range map[string]stack.Spec{"10.96.0.7:80": {Omit: []string{stack.EdgeLink}}, "": {}} {
		url := "http://chat.shop.svc:80"
		if dial == "" {
			_, port, _ := net.SplitHostPort(f.pod.Listener.Addr().String())
			url = "http://chat.shop.svc:" + port // that of the pods
		}
		f.mu.Lock()
		f.headless = dial == ""
		f.mu.Unlock()
		s, _, err := open(t, spec)
		if err != nil {
			t.Fatal(err)
		}
		hops := s.Hops()
		app := hops[len(hops)-1]
		if app.Inside != url || app.DialInside != dial {
			t.Errorf("the app is at %s, %q, want %q", app.Inside, app.DialInside, dial)
		}
		if edge := hops[0]; spec.Omit == nil && edge.Inside != "" {
			t.Errorf("the link is at %s", edge.Inside)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Streams go to the pods that are ready, in turn, and say which it was.
func TestStreamsGoToReadyPods(t *testing.T) {
	f := newFake(t, hello)
	f.scale(3)
	f.silent["chat-2"] = true
	s, _, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]int{}
	for range 6 {
		replica, body, err := ask(s.Hops()[0].URL + "/")
		if err != nil || body != "hello world" {
			t.Fatalf("got %q, %v", body, err)
		}
		served[replica]++
	}
	addrs := map[string]bool{}
	for _, r := range s.Replicas()[:2] {
		addrs[r.Addr] = true
		if served[r.Addr] != 3 {
			t.Errorf("%s served %d of 6 streams: %v", r.Name, served[r.Addr], served)
		}
	}
	if len(addrs) != 2 {
		t.Errorf("two pods have the addresses %v", addrs)
	}
	f.mu.Lock()
	f.silent["chat-0"], f.silent["chat-1"] = true, true
	f.tell("endpointslices", "MODIFIED", f.slice())
	f.mu.Unlock()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, _, err := ask(s.Hops()[0].URL + "/"); err != nil {
			break // reset, as a node does for a Service without pods
		}
		if time.Now().After(end) {
			t.Fatal("streams are served while no pod is ready")
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// An app that does not come up is its own failure, in one line with what the cluster
// says; its number of replicas is given back.
func TestOpenSaysWhyNotReady(t *testing.T) {
	f := newFake(t, hello)
	f.unplaced, f.grace = true, 0
	_, _, err := open(t, stack.Spec{Replicas: 3, App: stack.App{Start: time.Second}})
	var start *stack.StartError
	if !errors.As(err, &start) || !strings.Contains(err.Error(), "Unschedulable: 0/1 nodes are available") {
		t.Errorf("got %v", err)
	}
	if f.replicas != 2 || len(f.notes) > 0 {
		t.Errorf("it left %d replicas, annotations %v", f.replicas, f.notes)
	}
}

// The number of replicas is the user's again at the end, and where an earlier run could
// not give it back, at the start.
func TestReplicasAreGivenBack(t *testing.T) {
	f := newFake(t, hello)
	f.notes[original] = "1"
	s, _, err := open(t, stack.Spec{Replicas: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddReplica(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(f.notes[original], "1 3 "+host()+" /") || f.replicas != 3 {
		t.Errorf("while it is open: %d replicas, annotations %v", f.replicas, f.notes)
	}
	first := s.Replicas()[0].Name
	if err := s.RemoveReplica(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(s.Replicas(), func(r stack.Replica) bool { return r.Name == first }) {
		t.Errorf("%s is still there: %v", first, s.Replicas())
	}
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if f.notes[original] != "" || f.replicas != 1 {
		t.Errorf("after it: %d replicas, annotations %v", f.replicas, f.notes)
	}
}

// A drain is an eviction: the pod is told to go, another one takes its place, and all of
// it is told.
func TestStopEvicts(t *testing.T) {
	newFake(t, hello)
	s, all, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	name := s.Replicas()[0].Name
	if err := s.Stop(t.Context(), name, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []record.EventKind{record.KindStop, record.KindExit} {
		if e := all.of(kind); len(e) != 1 || e[0].Subject != name || e[0].Source != record.KubernetesSource {
			t.Errorf("%s was told as %v, want once of %s", kind, e, name)
		}
	}
	if len(s.Replicas()) != 2 || s.Replicas()[1].Name != "app[2]" {
		t.Errorf("the replicas are %v", s.Replicas())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // another watch tells of it
	defer cancel()
	_ = s.pods.await(ctx, func() bool { return len(all.of(record.KindUnrouted)) > 0 })
	if e := all.of(record.KindUnrouted); len(e) != 1 || e[0].Subject != name {
		t.Errorf("the Service left out %v", e)
	}
}

// What the cluster refuses is said as that, and is no failure of the app.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		code   int
		do     func(*Stack) error
		want   string
	}{
		"budget": {"/eviction", 429, func(s *Stack) error { return s.Stop(context.Background(), "app[0]", time.Second) },
			"PodDisruptionBudget forbids it"},
		"evict": {"/eviction", 403, func(s *Stack) error { return s.Stop(context.Background(), "app[0]", time.Second) },
			"may not create pods/eviction"},
		"delete": {"DELETE", 403, func(s *Stack) error { _, err := s.Crash(context.Background(), "app[0]"); return err },
			"may not delete pods"},
		"scale": {"PATCH", 403, func(s *Stack) error { _, err := s.AddReplica(context.Background()); return err },
			"may not patch deployments.apps"},
		"roll": {"PATCH", 403, func(s *Stack) error { return s.Roll(context.Background(), func(string) {}) },
			"may not patch deployments.apps"},
		"exec": {"/exec", 403, func(s *Stack) error { _, err := s.Processes(context.Background()); return err },
			"may not create pods/exec"},
		"memory": {"/none", 403, func(s *Stack) error { return s.FillMemory(context.Background(), "app[0]", 1) },
			"no memory limit"},
		"pause": {"/none", 403, func(s *Stack) error { return s.Pause(context.Background(), "app[0]") }, "no way to freeze"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, _, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.answers[c.answer] = c.code
			f.mu.Unlock()
			var cannot *stack.Unable
			if err := c.do(s); !errors.As(err, &cannot) || !strings.Contains(err.Error(), c.want) || cannot.Settle == "" {
				t.Errorf("got %v, want what cannot be done, and why: %s", err, c.want)
			}
			f.mu.Lock()
			clear(f.answers)
			f.mu.Unlock()
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if len(s.Replicas()) != 2 {
				t.Errorf("it left %v", s.Replicas())
			}
		})
	}
	newFake(t, hello)
	_, _, err := open(t, stack.Spec{Edge: stack.Edge{Form: stack.EdgeDefault}})
	var cannot *stack.Unable
	if !errors.As(err, &cannot) || !cannot.App {
		t.Errorf("an edge of ours: %v, want that it does not apply", err)
	}
}

// A workload that would not replace its pods, or could not make one more, says why at once, or when it has been
// waited for; what it does not know, it does not say.
func TestWhatKeepsPodsFromComing(t *testing.T) {
	set := func(path string, v any) func(map[string]any) {
		return func(w map[string]any) {
			keys := strings.Split(path, ".")
			for _, k := range keys[:len(keys)-1] {
				if w[k] == nil {
					w[k] = map[string]any{}
				}
				w = w[k].(map[string]any)
			}
			w[keys[len(keys)-1]] = v
		}
	}
	failure := func(status string) any {
		return []any{map[string]any{"type": "ReplicaFailure", "status": status, "reason": "FailedCreate",
			"message": `pods "chat-9" is forbidden: exceeded quota: small, requested: pods=1`}}
	}
	roll := func(s *Stack) error { return s.Roll(t.Context(), func(string) {}) }
	add := func(s *Stack) error {
		s.spec.App.Start = 300 * time.Millisecond
		_, err := s.AddReplica(t.Context())
		return err
	}
	for name, c := range map[string]struct {
		change    func(map[string]any)
		do        func(*Stack) error
		want, not string
	}{
		"paused":    {set("spec.paused", true), roll, "its rollout is paused", "ready"},
		"on delete": {set("spec.updateStrategy", map[string]any{"type": "OnDelete"}), roll, "OnDelete", "ready"},
		"partition": {set("spec.updateStrategy", map[string]any{"type": "RollingUpdate",
			"rollingUpdate": map[string]any{"partition": 1}}), roll, "from number 1 on", "ready"},
		"quota":          {set("status.conditions", failure("True")), add, "exceeded quota: small", ""},
		"quota, was":     {set("status.conditions", failure("False")), add, "not all pods are ready", "quota"},
		"init container": {func(map[string]any) {}, add, "CrashLoopBackOff of container migrate", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, _, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.change, f.unplaced = c.change, true
			if name == "init container" {
				f.waiting = `{"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}`
			}
			f.mu.Unlock()
			var cannot *stack.Unable
			err = c.do(s)
			if !errors.As(err, &cannot) || !strings.Contains(err.Error(), c.want) || cannot.Settle == "" ||
				c.not != "" && strings.Contains(err.Error(), c.not) {
				t.Errorf("got %v, want what cannot be done, and why: %s", err, c.want)
			}
		})
	}
}

// A way that breaks off takes its streams with it, whether the API server is away or only
// what leads to the pod. That is told, and the end of the stack says that nothing of it is
// the app's doing.
func TestWayBreaksOff(t *testing.T) {
	for name, end := range map[string]func(*fake){
		"the API server goes away": (*fake).stop,
		"it lives on":              func(f *fake) { close(f.cut) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, all, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.Get(s.Hops()[0].URL + "/long")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			end(f)
			if text, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("the stream ended as if it were whole: %q", text)
			}
			select {
			case <-s.broken:
			case <-time.After(5 * time.Second):
				t.Fatal("nobody noticed")
			}
			if err := s.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "says nothing about the app") {
				t.Errorf("Close says %v", err)
			}
			if len(all.of(record.KindLost)) != 1 {
				t.Errorf("it was told %d times", len(all.of(record.KindLost)))
			}
		})
	}
}

// The container's own end is told with its code, and an end for memory as that.
func TestEndsOfContainers(t *testing.T) {
	f := newFake(t, hello)
	s, all, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.pods[0]["status"] = podStatus("Running", false, `{"running": {"startedAt": "2030-01-01T00:00:00Z"}}`, "again")
	f.pods[0]["status"].(map[string]any)["containerStatuses"].([]any)[0].(map[string]any)["lastState"] = map[string]any{
		"terminated": map[string]any{"exitCode": 137, "reason": "OOMKilled", "containerID": "c-chat-0",
			"finishedAt": time.Now().Add(time.Second).UTC().Format(time.RFC3339)}}
	f.tell("pods", "MODIFIED", f.pods[0])
	f.tell("pods", "MODIFIED", f.pods[0])
	f.tell("events", "ADDED", map[string]any{"kind": "Event", "metadata": map[string]any{"name": "s"}, "reason": "Killing",
		"message": "Container mesh failed liveness probe, will be restarted", "involvedObject": map[string]any{"kind": "Pod", "name": "chat-0"}})
	f.tell("events", "ADDED", map[string]any{"kind": "Event", "metadata": map[string]any{"name": "e"}, "reason": "Killing",
		"message": "Container app failed liveness probe, will be restarted", "involvedObject": map[string]any{"kind": "Pod", "name": "chat-1"}})
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.pods.await(ctx, func() bool { return len(all.of(record.KindProbeKill)) > 0 && len(all.of(record.KindStart)) == 3 }); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []record.EventKind{record.KindOOM, record.KindOOMKilled, record.KindExit} {
		if e := all.of(kind); len(e) != 1 || e[0].Subject != "app[0]" || e[0].Code != 137 {
			t.Errorf("%s was told as %v", kind, e)
		}
	}
	if e := all.of(record.KindProbeKill); len(e) != 1 || e[0].Subject != "app[1]" {
		t.Errorf("the probe kill was told as %v", e)
	}
}

// The head of a response gets its mark, however it comes in, and nothing else changes.
func TestMarker(t *testing.T) {
	for in, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\nHTTP/1.1 x\r\n": "HTTP/1.1 200 OK\r\n" + stack.ReplicaHeader + ": a:1\r\nA: b\r\n\r\nHTTP/1.1 x\r\n",
		"SSH-2.0-x\r\n":                         "SSH-2.0-x\r\n",
		"HT":                                    "",
		"HTTP/1.1 " + strings.Repeat("x", 5000): "HTTP/1.1 " + strings.Repeat("x", 5000),
	} {
		for _, from := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			var out bytes.Buffer
			if n, err := io.Copy(&marker{to: &out, mark: "a:1"}, from); err != nil || n != int64(len(in)) {
				t.Errorf("%.20q: %d bytes, %v", in, n, err)
			}
			if out.String() != want {
				t.Errorf("%.20q became %.80q", in, out.String())
			}
		}
	}
}

func TestQuantities(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "128Mi": 128 << 20, "1G": 1e9, "1.5Gi": 3 << 29, "4096": 4096, "x": 0, "64Xi": 0} {
		if got := bytesOf(text); got != want {
			t.Errorf("%q is %d bytes, want %d", text, got, want)
		}
	}
}

// A pod that has ended for good is no replica any more, and stands in nobody's way; nor does one that its node never
// lets go of. One that is on its way out is waited for, and named.
func TestEndedPodsDoNotCount(t *testing.T) {
	f := newFake(t, hello)
	dead, kept := f.newPod(8), f.newPod(9)
	dead["status"] = map[string]any{"phase": "Failed", "reason": "Evicted"}
	kept["metadata"].(map[string]any)["deletionTimestamp"] = time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	f.pods = append([]map[string]any{dead, kept}, f.pods...)
	s, _, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if list := s.pods.living(); len(list) != 2 || slices.ContainsFunc(list, func(p pod) bool { return p.Status.over() }) {
		t.Errorf("living are %v", list)
	}
	leaving := f.newPod(10)
	leaving["metadata"].(map[string]any)["deletionTimestamp"] = time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	var o object
	text, _ := json.Marshal(leaving)
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	s.pods.update(o, false)
	if stuck := s.pods.stuck(); s.pods.settled(2) || len(stuck) != 1 || !strings.Contains(stuck[0], "chat-10: Terminating") {
		t.Errorf("with a pod on its way out: settled %v, stuck %v", s.pods.settled(2), stuck)
	}
}

// What refuses the way to a pod is no refusal by the app.
func TestWayIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		code    int
		message string
		lost    bool
	}{
		"login expired":   {401, "Unauthorized", true},
		"right revoked":   {403, "forbidden", true},
		"throttled":       {429, "too many requests", true},
		"kubelet away":    {500, "error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused", true},
		"kubelet's own":   {500, "pod not running", false},
		"pod has gone":    {404, "pods not found", false},
		"API server away": {503, "the server is currently unable", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, all, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.answers["/portforward"], f.message = c.code, c.message
			f.mu.Unlock()
			if _, body, err := ask(s.Hops()[0].URL); err == nil {
				t.Fatalf("it answers %q", body)
			}
			deadline := time.Now().Add(2 * time.Second)
			for c.lost && s.cause() == nil && time.Now().Before(deadline) {
				time.Sleep(10 * time.Millisecond)
			}
			if got := len(all.of(record.KindLost)) > 0; got != c.lost {
				t.Errorf("told as lost: %v, want %v", got, c.lost)
			}
		})
	}
}

// endOf is a status of a container that has ended so long ago.
func endOf(id, reason string, code int, ago time.Duration) *terminated {
	at := time.Now().Add(-ago)
	return &terminated{ExitCode: code, Reason: reason, ContainerID: id, FinishedAt: &at}
}

// Each end is told once, though the status names two, and one from before the run not at all, also where its pod is
// then told to go.
func TestEndsAreToldOnce(t *testing.T) {
	newFake(t, hello)
	s, all, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.pods.find("app[0]")
	o := p.object
	o.Status.ContainerStatuses = []containerStatus{{Name: "app", ContainerID: "c-new",
		State:     state{Terminated: endOf("c-chat-0", "Error", 1, 0)},
		LastState: state{Terminated: endOf("c-old", "Error", 2, time.Hour)}}}
	s.pods.update(o, false)
	now, grace := time.Now(), int64(30)
	o.Metadata.DeletionTimestamp, o.Metadata.DeletionGracePeriodSeconds = &now, &grace
	s.pods.update(o, false)
	s.pods.update(o, false)
	if e := all.of(record.KindExit); len(e) != 1 || e[0].Code != 1 {
		t.Errorf("ends were told as %v, want that of c-chat-0, once", e)
	}
	p, _ = s.pods.find("app[1]")
	o = p.object
	o.Metadata.DeletionTimestamp, o.Metadata.DeletionGracePeriodSeconds = &now, &grace
	o.Status.ContainerStatuses = []containerStatus{{Name: "app", ContainerID: "c-chat-1",
		State: p.Status.ContainerStatuses[0].State, LastState: state{Terminated: endOf("c-older", "Error", 2, time.Hour)}}}
	s.pods.update(o, false)
	if e := all.of(record.KindExit); len(e) != 1 {
		t.Errorf("an end from before the run was told: %v", e)
	}
}

// The reason OOMKilled stays with a container that lives on after one of its processes was killed, and is not the cause
// of its later end: by itself, as it was asked to, or by the kubelet when its grace was over.
func TestReasonOOMKilledIsNoProof(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		grace int64 // of a pod that is told to go; -1 for none
		want  bool
	}{
		"killed":             {137, -1, true},
		"its child, it ends": {1, -1, true},
		"by itself":          {0, -1, false},
		"as asked":           {143, 30, false},
		"grace is over":      {137, 0, false},
		"within its grace":   {137, 30, true},
	} {
		t.Run(name, func(t *testing.T) {
			newFake(t, hello)
			s, all, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := s.pods.find("app[0]")
			o := p.object
			if now := time.Now(); c.grace >= 0 {
				o.Metadata.DeletionTimestamp, o.Metadata.DeletionGracePeriodSeconds = &now, &c.grace
			}
			o.Status.ContainerStatuses = []containerStatus{{Name: "app", ContainerID: "c-chat-0",
				State: state{Terminated: endOf("c-chat-0", "OOMKilled", c.code, 0)}}}
			s.pods.update(o, false)
			if e := all.of(record.KindOOMKilled); (len(e) == 1) != c.want {
				t.Errorf("told as a kill for memory: %v, want %v", e, c.want)
			}
			if e := all.of(record.KindExit); len(e) != 1 {
				t.Errorf("ends were told as %v", e)
			}
		})
	}
}

// The log of the cluster is stored with the run, and says nothing of what pods are given.
func TestLogHoldsNoEnvironment(t *testing.T) {
	f := newFake(t, hello)
	s, _, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.pods[0]["spec"].(map[string]any)["containers"] = []any{map[string]any{"name": "app",
		"env": []any{map[string]any{"name": "KEY", "value": "hunter2"}}}}
	f.pods[0]["metadata"].(map[string]any)["annotations"] = map[string]any{"last-applied": "hunter2"}
	f.tell("pods", "MODIFIED", f.pods[0])
	f.mu.Unlock()
	if err := s.Stop(t.Context(), "app[0]", time.Second); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(s.spec.LogDir, clusterLog))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("hunter2")) {
		t.Errorf("it holds the value of a variable:\n%s", text)
	}
	facts, _, err := logline.ReadKubernetes(bytes.NewReader(text))
	if err != nil || len(facts) != 1 || facts[0].Pod != "chat-0" {
		t.Errorf("it tells %v, %v; want the end of chat-0", facts, err)
	}
}

// A drain leaves a pod the grace of its manifest, and shortens it only where a grace is given. A crash leaves it none; of
// a StatefulSet 1 s, and it is told as a kill all the same.
func TestGraceOfEnds(t *testing.T) {
	crash := func(s *Stack) error { _, err := s.Crash(context.Background(), "app[0]"); return err }
	stop := func(grace time.Duration) func(*Stack) error {
		return func(s *Stack) error { return s.Stop(context.Background(), "app[0]", grace) }
	}
	for name, c := range map[string]struct {
		do   func(*Stack) error
		set  string // the StatefulSet
		want int64  // -1 for that of the manifest
		kind record.EventKind
	}{
		"drain":                  {stop(0), "", -1, record.KindStop},
		"drain, given less":      {stop(5 * time.Second), "", 5, record.KindStop},
		"drain, given more":      {stop(time.Hour), "", -1, record.KindStop},
		"crash of a StatefulSet": {crash, "chat", 1, record.KindKill},
		"crash":                  {crash, "", 0, record.KindStop}, // the fake's grace is 30 s whatever it is asked for
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, all, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			s.app.StatefulSet = c.set
			if err := c.do(s); err != nil {
				t.Fatal(err)
			}
			type options struct{ GracePeriodSeconds *int64 }
			var o struct {
				options
				DeleteOptions options
			}
			f.mu.Lock()
			err = json.Unmarshal(f.options, &o)
			f.mu.Unlock()
			got := cmp.Or(o.GracePeriodSeconds, o.DeleteOptions.GracePeriodSeconds)
			if err != nil || (got == nil) != (c.want == -1) || got != nil && *got != c.want {
				t.Errorf("asked for %s, %v; want a grace of %d", f.options, err, c.want)
			}
			if e := all.of(c.kind); len(e) != 1 || e[0].Subject != "app[0]" {
				t.Errorf("%s was told as %v", c.kind, e)
			}
		})
	}
}

// What a run has left that was killed is given back, once that run has ended, and only where nobody has set another
// number since. While it lives the workload is its.
func TestStaleReplicas(t *testing.T) {
	gone, lives := host()+" "+filepath.Join(t.TempDir(), "gone"), host()+" "+t.TempDir()
	for name, c := range map[string]struct {
		note    string
		refused bool
		want    int // replicas while the stack is open, and after it
	}{
		"as it was left":       {"1 3 " + gone, false, 1},
		"set anew since":       {"1 2 " + gone, false, 3},
		"of an older version":  {"2", false, 2},
		"another run lives":    {"1 3 " + lives, true, 3},
		"of another host":      {"1 3 elsewhere /gone", true, 3},
		"another run, and set": {"1 2 " + lives, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			f.mu.Lock()
			f.scale(3)
			f.notes[original] = c.note
			f.mu.Unlock()
			check := New(chat).(*Opener).Check(t.Context(), stack.App{})
			s, _, err := open(t, stack.Spec{})
			var usage *harness.UsageError
			if errors.As(err, &usage) != c.refused || errors.As(check, &usage) != c.refused || !c.refused && err != nil {
				t.Fatalf("Check says %v, Open %v", check, err)
			}
			if f.replicas != c.want || f.notes[original] != "" != c.refused {
				t.Errorf("opened: %d replicas, annotations %v", f.replicas, f.notes)
			}
			if c.refused {
				return
			}
			if _, err := s.AddReplica(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f.replicas != c.want || f.notes[original] != "" {
				t.Errorf("closed: %d replicas, annotations %v", f.replicas, f.notes)
			}
		})
	}
}

// A pod that the cluster ends of its own accord is told as that, once; one that somebody evicts is not.
func TestDisruptionsAreTold(t *testing.T) {
	newFake(t, hello)
	s, all, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	for replica, reason := range map[string]string{"app[0]": "TerminationByKubelet", "app[1]": "EvictionByEvictionAPI"} {
		p, err := s.pods.find(replica)
		if err != nil {
			t.Fatal(err)
		}
		o := p.object
		o.Status.Conditions = append(slices.Clone(o.Status.Conditions),
			condition{Type: "DisruptionTarget", Status: "True", Reason: reason, Message: "why"})
		s.pods.update(o, false)
		s.pods.update(o, false)
	}
	if e := all.of(record.KindDisrupted); len(e) != 1 || e[0].Subject != "app[0]" {
		t.Errorf("told as disrupted: %v", e)
	}
}
