package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
)

// A cluster is a real one, in a namespace of its own.
type cluster struct {
	*client
	program string
}

// realCluster is the one whose context STREAMPROOF_KUBE names: that of docker/kube/up, or
// any other that has the image of the FastAPI app, $STREAMPROOF_KUBE_IMAGE.
func realCluster(t *testing.T) *cluster {
	name := os.Getenv("STREAMPROOF_KUBE")
	if name == "" {
		t.Skip("STREAMPROOF_KUBE names no context of a cluster: make kube")
	}
	c, err := login("app.kubernetes", name, fmt.Sprintf("streamproof-%d-%s", os.Getpid(), strings.ToLower(t.Name())))
	if err != nil {
		t.Fatal(err)
	}
	s := &cluster{c, filepath.Join(t.TempDir(), "streamproof")}
	if out, err := exec.Command("go", "build", "-o", s.program, "../../../cmd/streamproof").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	s.post(t, "api/v1/namespaces", map[string]any{"metadata": map[string]any{"name": c.namespace}})
	t.Cleanup(func() {
		if err := c.ask(context.Background(), http.MethodDelete, "api/v1/namespaces/"+c.namespace, "", nil, nil); err != nil {
			t.Error(err)
		}
		c.http.CloseIdleConnections()
	})
	return s
}

func (c *cluster) post(t *testing.T, path string, o map[string]any) {
	t.Helper()
	if err := c.ask(t.Context(), http.MethodPost, path, "application/json", o, nil); err != nil {
		t.Fatal(err)
	}
}

// An app is a Deployment, or a StatefulSet, of the FastAPI app.
type app struct {
	set   bool // a StatefulSet
	env   map[string]string
	grace int            // 0 means 30 s
	more  map[string]any // of its container
	least int            // pods that a PodDisruptionBudget keeps; 0 for none
}

// deploy brings an app up with two pods behind a Service.
func (c *cluster) deploy(t *testing.T, name string, a app) {
	t.Helper()
	var env []any
	for k, v := range a.env {
		env = append(env, map[string]any{"name": k, "value": v})
	}
	health := map[string]any{"path": "/healthz", "port": 8000}
	box := map[string]any{"name": "app", "image": cmp.Or(os.Getenv("STREAMPROOF_KUBE_IMAGE"), "streamproof/fastapi:dev"),
		"imagePullPolicy": "IfNotPresent", "env": env, "resources": map[string]any{"limits": map[string]any{"memory": "256Mi"}},
		"readinessProbe": map[string]any{"httpGet": health, "periodSeconds": 1, "timeoutSeconds": 5}}
	for k, v := range a.more {
		box[k] = v
	}
	labels := map[string]any{"app": name}
	work := map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
		"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
			"terminationGracePeriodSeconds": cmp.Or(a.grace, 30), "containers": []any{box}}}}
	kind := "deployments"
	if a.set {
		kind, work["serviceName"] = "statefulsets", name
	}
	c.post(t, c.in("apps/v1", kind), map[string]any{"metadata": map[string]any{"name": name}, "spec": work})
	c.post(t, c.in("v1", "services"), map[string]any{"metadata": map[string]any{"name": name}, "spec": map[string]any{
		"selector": labels, "ports": []any{map[string]any{"port": 80, "targetPort": 8000}}}})
	if a.least > 0 {
		c.post(t, c.in("policy/v1", "poddisruptionbudgets"), map[string]any{"metadata": map[string]any{"name": name},
			"spec": map[string]any{"minAvailable": a.least, "selector": map[string]any{"matchLabels": labels}}})
	}
}

// A trial is a run of the program against a workload.
type trial struct {
	kind, name, scenario, path string // kind is "deployment" where it is not named
	pods                       int    // that send the load; 0 sends it from here
	define                     string // a scenario of the file's own, in YAML
}

// A result is what came of a trial: cause is the first one of a scenario that did not pass,
// why what it says.
type result struct {
	code            int
	cause, why, out string
}

// start starts the program as users have it; end waits for it.
func (c *cluster) start(t *testing.T, x trial) (end func() result) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "streamproof.yaml")
	text := fmt.Sprintf("app: {kubernetes: {context: %q, namespace: %s, %s: %s, service: %s}, health: /healthz, "+
		"start: 60s}\nstream: {path: '%s', dialect: openai-chat}\nload: {streams: 8}\n", os.Getenv("STREAMPROOF_KUBE"), c.namespace,
		cmp.Or(x.kind, "deployment"), x.name, x.name, cmp.Or(x.path, "/chat?events=100&gap=50ms"))
	if x.define != "" {
		text += "define: [" + x.define + "]\n"
	}
	if x.pods > 0 {
		text += "fleet: {kubernetes: " + c.fleet(x.pods) + "}\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.program, "run", "-f", file, "--scenario", x.scenario, "--seed", "3", "-o",
		filepath.Join(dir, "run"))
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() result {
		t.Helper()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		t.Logf("%s", &out)
		r := result{code: cmd.ProcessState.ExitCode()}
		var report struct {
			Scenarios []struct {
				Causes []struct{ Cause string }
				Checks []struct{ Verdict, Why string }
			}
		}
		data, err := os.ReadFile(filepath.Join(dir, "run", "verdict.json"))
		if err == nil {
			err = json.Unmarshal(data, &report)
		}
		if err != nil || len(report.Scenarios) != 1 {
			t.Fatalf("read the verdict: %v", err)
		}
		r.out = out.String() + string(data)
		for _, c := range report.Scenarios[0].Causes[:min(1, len(report.Scenarios[0].Causes))] {
			r.cause = c.Cause
		}
		for _, c := range report.Scenarios[0].Checks {
			if c.Verdict != "pass" {
				r.why += c.Why + "\n"
			}
		}
		return r
	}
}

// On a real cluster each fault has a form that keeps its streams and one that does not,
// which is named with the cluster's own evidence.
func TestClusterScenarios(t *testing.T) {
	c := realCluster(t)
	single := map[string]string{"SERVER": "uvicorn"}
	broken := func(how string) map[string]string { return map[string]string{"SERVER": "uvicorn", "BREAK": how} }
	c.deploy(t, "kept", app{env: single, more: map[string]any{
		"lifecycle": map[string]any{"preStop": map[string]any{"exec": map[string]any{"command": []any{"sleep", "3"}}}}}})
	c.deploy(t, "short", app{env: single, grace: 1})
	c.deploy(t, "hog", app{env: broken("memory-hog")})
	c.deploy(t, "busy", app{env: broken("blocked-loop"), grace: 1, more: map[string]any{"livenessProbe": map[string]any{
		"httpGet": map[string]any{"path": "/healthz", "port": 8000}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2}}})
	c.deploy(t, "guarded", app{env: single, least: 2})
	c.deploy(t, "set", app{set: true, env: single, more: map[string]any{
		"lifecycle": map[string]any{"preStop": map[string]any{"exec": map[string]any{"command": []any{"sleep", "3"}}}}}})
	c.deploy(t, "shortset", app{set: true, env: single, grace: 1})
	for _, x := range []struct {
		app, scenario string
		code          int
		cause         string // of a run that fails
	}{
		{"kept", "control", 0, ""},
		{"kept", "drain", 0, ""},
		{"short", "drain", 1, diagnose.GraceTooShort},
		{"kept", "rolling-deploy", 0, ""},
		{"short", "rolling-deploy", 1, diagnose.GraceTooShort},
		{"kept", "crash", 0, ""},
		{"kept", "scale-out", 0, ""},
		{"kept", "scale-in", 0, ""},
		{"short", "scale-in", 1, diagnose.GraceTooShort},
		{"kept", "memory-kill-container", 0, ""},
		{"hog", "control", 1, diagnose.MemoryKillAll},
		{"busy", "control", 1, diagnose.LivenessKill},
		{"set", "rolling-deploy", 0, ""},
		{"shortset", "rolling-deploy", 1, diagnose.GraceTooShort},
		{"set", "crash", 0, ""},
	} {
		t.Run(x.app+" "+x.scenario, func(t *testing.T) {
			kind := "deployment"
			if strings.HasSuffix(x.app, "set") {
				kind = "statefulset"
			}
			r := c.start(t, trial{kind: kind, name: x.app, scenario: x.scenario})()
			if r.code != x.code || x.code == 1 && r.cause != x.cause {
				t.Errorf("exit code %d, cause %q, want %d and %q: %s", r.code, r.cause, x.code, x.cause, r.why)
			}
			work, err := c.get(t.Context(), c.in("apps/v1", kind+"s", x.app))
			if err != nil || wanted(&work) != 2 || work.Metadata.Annotations[original] != "" {
				t.Errorf("it left %d replicas, annotations %v, %v", wanted(&work), work.Metadata.Annotations, err)
			}
		})
	}
	for name, want := range map[string]struct {
		code  int
		cause string
	}{"kept": {0, ""}, "short": {1, diagnose.GraceTooShort}} {
		t.Run(name+" node drained", func(t *testing.T) {
			const own = "{id: maintenance, title: A node is drained, doc: Streams complete where they are., " +
				"load: {streams: 8, duration: 6s}, when: {events: 3}, hold: 100ms, share: 1, fault: {type: node-drain}, " +
				"policy: {refuses: true, recovery: 20s}}"
			r := c.start(t, trial{name: name, scenario: "maintenance", define: own})()
			if r.code != want.code || r.code == 1 && r.cause != want.cause {
				t.Errorf("exit code %d, cause %q, want %+v: %s", r.code, r.cause, want, r.why)
			}
			nodes, err := c.objects(t.Context(), "api/v1/nodes", nil)
			work, workErr := c.get(t.Context(), c.in("apps/v1", "deployments", name))
			if err != nil || workErr != nil || slices.ContainsFunc(nodes, func(o object) bool { return o.Spec.Unschedulable }) ||
				work.Metadata.Annotations[cordoned] != "" {
				t.Errorf("left: %+v, annotations %v, %v %v", nodes, work.Metadata.Annotations, err, workErr)
			}
		})
	}
	t.Run("an eviction that a budget forbids", func(t *testing.T) {
		began := time.Now()
		r := c.start(t, trial{name: "guarded", scenario: "drain"})()
		if r.code != 2 || !strings.Contains(r.why, "a PodDisruptionBudget forbids it") {
			t.Errorf("after %v: exit code %d, %s", time.Since(began), r.code, r.why)
		}
	})
	t.Run("an autoscaler removes a pod", func(t *testing.T) {
		c.deploy(t, "scaled", app{env: single, grace: 1})
		path := c.in("autoscaling/v2", "horizontalpodautoscalers")
		c.post(t, path, map[string]any{"metadata": map[string]any{"name": "scaler"}, "spec": map[string]any{
			"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"},
			"minReplicas":    1, "maxReplicas": 2}})
		// It looks every 15 s, and needs no metrics to see that there are too many. The streams
		// of the wave, of 27 s each, follow one that goes alone.
		end := c.start(t, trial{name: "scaled", scenario: "control", path: "/chat?events=500&gap=50ms"})
		time.Sleep(32 * time.Second)
		fewer := map[string]any{"spec": map[string]any{"maxReplicas": 1}}
		if _, err := c.patch(t.Context(), path+"/scaler", fewer); err != nil {
			t.Fatal(err)
		}
		r := end()
		if r.code != 1 || r.cause != diagnose.GraceTooShort || !strings.Contains(r.out, "HorizontalPodAutoscaler scaler") {
			t.Errorf("exit code %d, cause %q: %s", r.code, r.cause, r.why)
		}
	})
}

// fleet is the section of a configuration that has so many pods send the load.
func (c *cluster) fleet(pods int) string {
	return fmt.Sprintf("{context: %q, namespace: %s, workers: %d, image: %q, cpu: 50m, memory: 128Mi, start: 60s}",
		os.Getenv("STREAMPROOF_KUBE"), c.namespace, pods,
		cmp.Or(os.Getenv("STREAMPROOF_KUBE_LOADER"), "streamproof/streamproof:dev"))
}

// Pods beside an app send its load to its Service, as other pods do, and what the cluster
// does to the app is found as it is from here.
func TestClusterFleetBesideTheApp(t *testing.T) {
	c := realCluster(t)
	env := map[string]string{"SERVER": "uvicorn"}
	c.deploy(t, "kept", app{env: env, more: map[string]any{
		"lifecycle": map[string]any{"preStop": map[string]any{"exec": map[string]any{"command": []any{"sleep", "3"}}}}}})
	c.deploy(t, "short", app{env: env, grace: 1})
	c.deploy(t, "cuts", app{env: map[string]string{"SERVER": "uvicorn", "BREAK": "closed-resource"}})
	for _, x := range []struct {
		app, scenario string
		code          int
		cause         string // of a run that fails
	}{
		{"kept", "control", 0, ""},
		{"cuts", "control", 1, diagnose.OutlivesResources},
		{"kept", "drain", 0, ""},
		{"short", "drain", 1, diagnose.GraceTooShort},
		{"kept", "rolling-deploy", 0, ""},
		{"short", "rolling-deploy", 1, diagnose.GraceTooShort},
		{"kept", "scale-in", 0, ""},
		{"kept", "crash", 2, ""}, // the streams of which pod may be cut is not known
		{"kept", "stall", 2, ""}, // its link is on this machine
	} {
		t.Run(x.app+" "+x.scenario, func(t *testing.T) {
			r := c.start(t, trial{name: x.app, scenario: x.scenario, pods: 2})()
			if r.code != x.code || x.code == 1 && r.cause != x.cause {
				t.Errorf("exit code %d, cause %q, want %d and %q: %s", r.code, r.cause, x.code, x.cause, r.why)
			}
			if x.code != 2 && (!strings.Contains(r.out, "load workers") || strings.Contains(r.out, "port-forward")) {
				t.Error("the load did not come from the pods, or by a port-forward")
			}
		})
	}
}

// A fleetTrial runs the program against an app that it reaches by a pod's address, as the
// pods of a fleet do.
type fleetTrial struct {
	*cluster
	url, host string
}

// start starts the program, with the load from three pods, or from this machine.
func (f *fleetTrial) start(t *testing.T, away bool, path string) (cmd *exec.Cmd, out *bytes.Buffer, dir string) {
	t.Helper()
	work := t.TempDir()
	dir = filepath.Join(work, "run")
	text := fmt.Sprintf("app: {url: '%s%s'}\nstream: {dialect: openai-chat}\nallow_hosts: ['%s']\nload: {streams: 60}\n",
		f.url, path, f.host)
	if away {
		text += "fleet: {kubernetes: " + f.fleet(3) + "}\n"
	}
	file := filepath.Join(work, "streamproof.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out = &bytes.Buffer{}
	cmd = exec.CommandContext(t.Context(), f.program, "run", "-f", file, "--scenario", "control", "--seed", "3", "-o", dir)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out, dir
}

// came is the exit code and the verdict of a run, and what became of its streams.
func (f *fleetTrial) came(t *testing.T, away bool, path string) string {
	t.Helper()
	cmd, out, dir := f.start(t, away, path)
	cmd.Wait()
	t.Logf("%s", out)
	var report struct {
		Verdict   string
		Started   int
		Outcomes  map[string]int
		Scenarios []struct{ Causes []struct{ Cause string } }
	}
	data, err := os.ReadFile(filepath.Join(dir, "verdict.json"))
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil {
		t.Fatalf("read the verdict: %v", err)
	}
	return fmt.Sprint(cmd.ProcessState.ExitCode(), report.Verdict, report.Started, report.Outcomes, report.Scenarios)
}

// jobs are the Jobs of fleets that are left, with the pods.
func (f *fleetTrial) left(t *testing.T) (list []string) {
	t.Helper()
	for _, path := range []string{f.in("batch/v1", "jobs"), f.in("v1", "pods")} {
		all, err := f.objects(t.Context(), path, url.Values{"labelSelector": {fleetSelector}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			list = append(list, all[i].Metadata.Name)
		}
	}
	return list
}

// awaitPods waits until three workers of a fleet run.
func (f *fleetTrial) awaitPods(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		all, err := f.objects(t.Context(), f.in("v1", "pods"), url.Values{"labelSelector": {fleetSelector}})
		if err == nil && count(all) == 3 {
			return
		}
	}
	t.Fatal("the workers of the fleet do not run")
}

// A load from the pods of a Job comes to the verdict that the same load has from here, and
// nothing of it is left, however the run ends.
func TestClusterFleet(t *testing.T) {
	c := realCluster(t)
	c.deploy(t, "sound", app{env: map[string]string{"SERVER": "uvicorn"}})
	c.deploy(t, "cuts", app{env: map[string]string{"SERVER": "uvicorn", "BREAK": "closed-resource"}})
	served := func(name string) *fleetTrial {
		for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			all, err := c.objects(t.Context(), c.in("v1", "pods"), url.Values{"labelSelector": {"app=" + name}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range all {
				if p := &all[i]; p.Status.is("Ready") && p.Status.PodIP != "" {
					return &fleetTrial{c, "http://" + net.JoinHostPort(p.Status.PodIP, "8000"), p.Status.PodIP}
				}
			}
		}
		t.Fatalf("%s does not get ready", name)
		return nil
	}
	const path = "/chat?events=60&gap=50ms"
	sound, cuts := served("sound"), served("cuts")
	for name, f := range map[string]*fleetTrial{"a sound app": sound, "an app that cuts streams": cuts} {
		t.Run(name, func(t *testing.T) {
			here, away := f.came(t, false, path), f.came(t, true, path)
			if here != away {
				t.Errorf("from here:\n%s\nfrom three pods:\n%s", here, away)
			}
			if left := f.left(t); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		cmd, out, _ := sound.start(t, true, "/chat?events=2000&gap=50ms")
		sound.awaitPods(t)
		time.Sleep(3 * time.Second)
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if left := sound.left(t); cmd.ProcessState.ExitCode() != 2 || len(left) > 0 {
			t.Errorf("exit code %d, left: %v\n%s", cmd.ProcessState.ExitCode(), left, out)
		}
	})
	t.Run("a worker is killed", func(t *testing.T) {
		cmd, out, _ := sound.start(t, true, "/chat?events=200&gap=50ms")
		sound.awaitPods(t)
		time.Sleep(4 * time.Second)
		victim := sound.left(t)[2]
		if err := c.ask(t.Context(), http.MethodDelete, c.in("v1", "pods", victim), "application/json",
			map[string]any{"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}, nil); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		left := sound.left(t)
		if cmd.ProcessState.ExitCode() != 2 || len(left) > 0 || !strings.Contains(out.String(), victim) {
			t.Errorf("%s was killed: exit code %d, left: %v\n%s", victim, cmd.ProcessState.ExitCode(), left, out)
		}
	})
	t.Run("SIGKILL", func(t *testing.T) {
		cmd, _, _ := sound.start(t, true, "/chat?events=2000&gap=50ms")
		sound.awaitPods(t)
		time.Sleep(3 * time.Second)
		cmd.Process.Kill()
		cmd.Wait()
		time.Sleep(3 * time.Second) // the workers end by themselves
		sound.came(t, true, path)
		if left := sound.left(t); len(left) > 0 {
			t.Errorf("left after the next run: %v", left)
		}
	})
	t.Run("an image that is not there", func(t *testing.T) {
		t.Setenv("STREAMPROOF_KUBE_LOADER", "streamproof/none:dev")
		cmd, out, _ := sound.start(t, true, path)
		cmd.Wait()
		left := sound.left(t)
		if cmd.ProcessState.ExitCode() != 3 || len(left) > 0 || !strings.Contains(out.String(), "ErrImagePull") &&
			!strings.Contains(out.String(), "ImagePullBackOff") {
			t.Errorf("exit code %d, left: %v\n%s", cmd.ProcessState.ExitCode(), left, out)
		}
	})
}
