package kube

import (
	"maps"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// settingsOf are those of the layer of a name.
func settingsOf(s stack.Stack, name string) map[string]string {
	for _, l := range s.Layers() {
		if l.Name == name {
			return l.Settings
		}
	}
	return nil
}

// TestAround: what leads to the workload, scales it or guards it is read, and nothing that
// belongs to others.
func TestAround(t *testing.T) {
	f := newFake(t, hello)
	f.around = map[string]string{
		"horizontalpodautoscalers": `[
			{"metadata": {"name": "chat"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "chat"}, "maxReplicas": 9}},
			{"metadata": {"name": "other"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "other"}, "maxReplicas": 3}},
			{"metadata": {"name": "set"}, "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "chat"}, "maxReplicas": 3}}]`,
		"poddisruptionbudgets": `[
			{"metadata": {"name": "one"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "chat"}}},
				"status": {"disruptionsAllowed": 1}},
			{"metadata": {"name": "half"}, "spec": {"maxUnavailable": "50%", "selector": {"matchExpressions":
				[{"key": "tier", "operator": "In", "values": ["web"]}, {"key": "canary", "operator": "DoesNotExist"}]}}},
			{"metadata": {"name": "none"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "other"}}}},
			{"metadata": {"name": "not"}, "spec": {"minAvailable": 1, "selector": {"matchExpressions":
				[{"key": "tier", "operator": "NotIn", "values": ["web"]}]}}}]`,
		"ingresses": `[
			{"metadata": {"name": "front", "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "5",
				"nginx.ingress.kubernetes.io/proxy-buffering": "on"}}, "spec": {"ingressClassName": "nginx",
				"rules": [{"http": {"paths": [{"backend": {"service": {"name": "chat"}}}]}}]}},
			{"metadata": {"name": "bare", "annotations": {"kubernetes.io/ingress.class": "internal-nginx"}},
				"spec": {"defaultBackend": {"service": {"name": "chat"}}}},
			{"metadata": {"name": "cloud", "annotations": {"alb.ingress.kubernetes.io/load-balancer-attributes":
				"deletion_protection.enabled=true,idle_timeout.timeout_seconds=90"}},
				"spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "chat"}}}},
			{"metadata": {"name": "away"}, "spec": {"ingressClassName": "nginx",
				"rules": [{"http": {"paths": [{"backend": {"service": {"name": "other"}}}]}}, {"host": "x"}]}}]`,
	}
	s, all, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	own := settingsOf(s, "kubernetes")
	for name, want := range map[string]string{
		"horizontalpodautoscaler chat":  "1 to 9 replicas",
		"horizontalpodautoscaler other": "", "horizontalpodautoscaler set": "",
		"poddisruptionbudget one":  "minAvailable 1, allows 1 now",
		"poddisruptionbudget half": "maxUnavailable 50%, allows 0 now",
		"poddisruptionbudget none": "", "poddisruptionbudget not": "",
		"ingresses": "",
	} {
		if own[name] != want {
			t.Errorf("%s: %q, want %q", name, own[name], want)
		}
	}
	for name, want := range map[string]map[string]string{
		"ingress front": {"class": "nginx", "proxy-read-timeout": "5", "proxy-buffering": "on"},
		"ingress bare":  {"class": "internal-nginx", "proxy-read-timeout (default)": "60"},
		"ingress cloud": {"class": "alb", "idle_timeout.timeout_seconds": "90"},
		"ingress away":  nil,
	} {
		if got := settingsOf(s, name); !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, scaler := range []string{"other", "chat"} {
		f.mu.Lock()
		f.tell("events", "ADDED", map[string]any{"kind": "Event",
			"metadata": map[string]any{"name": scaler, "resourceVersion": "2"},
			"reason":   "SuccessfulRescale", "message": "New size: 1; reason: All metrics below target",
			"involvedObject": map[string]any{"kind": "HorizontalPodAutoscaler", "name": scaler, "uid": "h"}})
		f.mu.Unlock()
	}
	for end := time.Now().Add(10 * time.Second); len(all.of(record.KindScaled)) == 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if e := all.of(record.KindScaled); len(e) != 1 || e[0].Subject != "chat" {
		t.Errorf("told as scaled: %v", e)
	}
}

// TestAroundIsNotRead: what the login may not list is said, and keeps no run from starting.
func TestAroundIsNotRead(t *testing.T) {
	f := newFake(t, hello)
	f.answers["/ingresses"], f.answers["/poddisruptionbudgets"] = 403, 500
	s, _, err := open(t, stack.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	own := settingsOf(s, "kubernetes")
	for name, want := range map[string]string{"ingresses": "not read: the login may not list them",
		"poddisruptionbudgets": "not read: answer 500", "horizontalpodautoscalers": ""} {
		if own[name] != want {
			t.Errorf("%s: %q, want %q", name, own[name], want)
		}
	}
}
