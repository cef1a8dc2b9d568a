package logline

import (
	"slices"
	"strings"
	"testing"
)

func TestWorkloadOf(t *testing.T) {
	for pod, want := range map[string]string{
		"chat-7d9f8b6c5d-x2x9k":        "chat",          // a Deployment's
		"chat-v2-7d9f8b6c5d-x2x9k":     "chat-v2",       // with a dash in its name
		"node-exporter-x2x9k":          "node-exporter", // a DaemonSet's
		"redis-0":                      "redis",         // a StatefulSet's
		"redis-12":                     "redis",
		"backup-28912345-x7k2p":        "backup", // a CronJob's
		"web-proxy":                    "web-proxy",
		"chat-backend":                 "chat-backend",
		"kube-apiserver-control-plane": "kube-apiserver-control-plane",
		"":                             "",
	} {
		if got := WorkloadOf(pod); got != want {
			t.Errorf("%q is of %q, want %q", pod, got, want)
		}
	}
}

func TestPodIn(t *testing.T) {
	for line, want := range map[string][2]string{
		`[pod/chat-7d9f8b6c5d-x2x9k/app] INFO: started`: {
			"chat-7d9f8b6c5d-x2x9k", "app"},
		`chat-7d9f8b6c5d-x2x9k app INFO: started`: {
			"chat-7d9f8b6c5d-x2x9k", "app"},
		`chat-7d9f8b6c5d-x2x9k › app INFO: started`: {
			"chat-7d9f8b6c5d-x2x9k", "app"},
		`Nov 25 12:00:02 chat-7d9f8b6c5d-x2x9k app[1]: started`: {
			"chat-7d9f8b6c5d-x2x9k", ""},
		`{"level":30,"time":1795608002300,"pid":1,"hostname":"chat-7d9f8b6c5d-x2x9k","msg":"x"}`: {
			"chat-7d9f8b6c5d-x2x9k", ""},
		`{"msg":"x","pod":"chat-0"}`:                    {"chat-0", ""},
		`{"msg":"x","hostname":"web-01"}`:               {"", ""}, // any machine's
		`{"msg":"redis at host chat-7d9f8b6c5d-x2x9k"}`: {"", ""}, // it speaks of it
		`connect to redis-0: refused`:                   {"", ""},
		`ERROR: peer chat-7d9f8b6c5d-x2x9k left`:        {"", ""},
	} {
		if pod, container := PodIn(line); pod != want[0] || container != want[1] {
			t.Errorf("%s: %q, %q", line, pod, container)
		}
	}
}

// Pods are read whether anything happened to them or not, by their owners.
func TestKubernetesPods(t *testing.T) {
	const list = `{"apiVersion":"v1","kind":"List","items":[
	{"kind":"Pod","metadata":{"name":"chat-abcde-x2x9k","namespace":"shop","labels":{"pod-template-hash":"abcde"},
	  "ownerReferences":[{"kind":"ReplicaSet","name":"chat-abcde"}]},
	 "status":{"podIP":"10.0.0.7","containerStatuses":[{"name":"app"},{"name":"istio-proxy"}]}},
	{"kind":"Pod","metadata":{"name":"odd","namespace":"shop","ownerReferences":[{
		"kind":"StatefulSet","name":"store"}]},"status":{}},
	{"kind":"Event","reason":"Killing","involvedObject":{"kind":"Pod","namespace":"shop","name":"odd"},"metadata":{
		"name":"e"}}]}`
	facts, pods, err := ReadKubernetes(strings.NewReader(list + list))
	if err != nil || len(pods) != 2 || len(facts) != 1 || facts[0].Namespace != "shop" {
		t.Fatalf("%+v, %+v, %v", facts, pods, err)
	}
	if p := pods[0]; p.Workload != "chat" || p.Addr != "10.0.0.7" || p.Namespace != "shop" ||
		!slices.Equal(p.Containers, []string{"app", "istio-proxy"}) {
		t.Errorf("%+v", p)
	}
	if pods[1].Workload != "store" {
		t.Errorf("%+v", pods[1])
	}
}
