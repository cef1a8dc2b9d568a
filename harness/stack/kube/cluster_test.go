package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/stack"
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
	c, err := login(&stack.Kubernetes{Context: name, Namespace: fmt.Sprintf("streamproof-%d", os.Getpid())})
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

// An app is a Deployment of the FastAPI app.
type app struct {
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
	c.post(t, c.in("apps/v1", "deployments"), map[string]any{"metadata": map[string]any{"name": name}, "spec": map[string]any{
		"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
			"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
				"terminationGracePeriodSeconds": cmp.Or(a.grace, 30), "containers": []any{box}}}}})
	c.post(t, c.in("v1", "services"), map[string]any{"metadata": map[string]any{"name": name}, "spec": map[string]any{
		"selector": labels, "ports": []any{map[string]any{"port": 80, "targetPort": 8000}}}})
	if a.least > 0 {
		c.post(t, c.in("policy/v1", "poddisruptionbudgets"), map[string]any{"metadata": map[string]any{"name": name},
			"spec": map[string]any{"minAvailable": a.least, "selector": map[string]any{"matchLabels": labels}}})
	}
}

// run plays a scenario with the program as users have it. cause is the first one of a
// scenario that did not pass, why what it says.
func (c *cluster) run(t *testing.T, name, scenario string) (code int, cause, why string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "streamproof.yaml")
	text := fmt.Sprintf("app: {kubernetes: {context: %q, namespace: %s, deployment: %s, service: %s}, health: /healthz, start: 60s}\n"+
		"stream: {path: '/chat?events=100&gap=50ms', dialect: openai-chat}\nload: {streams: 8}\n",
		os.Getenv("STREAMPROOF_KUBE"), c.namespace, name, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), c.program, "run", "-f", file, "--scenario", scenario, "--seed", "3", "-o", filepath.Join(dir, "run"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	t.Logf("%s", out)
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
	for _, c := range report.Scenarios[0].Causes[:min(1, len(report.Scenarios[0].Causes))] {
		cause = c.Cause
	}
	for _, c := range report.Scenarios[0].Checks {
		if c.Verdict != "pass" {
			why += c.Why + "\n"
		}
	}
	return cmd.ProcessState.ExitCode(), cause, why
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
	} {
		t.Run(x.app+" "+x.scenario, func(t *testing.T) {
			code, cause, why := c.run(t, x.app, x.scenario)
			if code != x.code || x.code == 1 && cause != x.cause {
				t.Errorf("exit code %d, cause %q, want %d and %q: %s", code, cause, x.code, x.cause, why)
			}
			work, err := c.get(t.Context(), c.in("apps/v1", "deployments", x.app))
			if err != nil || wanted(&work) != 2 || work.Metadata.Annotations[original] != "" {
				t.Errorf("it left %d replicas, annotations %v, %v", wanted(&work), work.Metadata.Annotations, err)
			}
		})
	}
	t.Run("an eviction that a budget forbids", func(t *testing.T) {
		began := time.Now()
		code, _, why := c.run(t, "guarded", "drain")
		if code != 2 || !strings.Contains(why, "a PodDisruptionBudget forbids it") {
			t.Errorf("after %v: exit code %d, %s", time.Since(began), code, why)
		}
	})
}
