package diagnose_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	chatPod  = "chat-7d9f8b6c5d-x2x9k"
	batchPod = "batch-66c4b5d7f8-zk4m2"
)

// cutTogether are eight streams that end at one moment, as those of a process that dies and
// those that a proxy's timer ends in step.
func cutTogether(b *synth.Builder) {
	b.Each(8, func(i int) synth.Shape {
		return synth.Shape{Start: time.Duration(i) * 90 * ms, Events: 80, Mute: true, Keep: 20, End: synth.CutAt(2500 * ms)}
	})
}

// oom is a container that was killed for its memory.
func oom(pod, container string) logline.KubeFact {
	return logline.KubeFact{Reason: "OOMKilled", Namespace: "shop", Pod: pod, Container: container, Code: 137}
}

func pulled(pod string) logline.KubeFact {
	return logline.KubeFact{Reason: "Pulled", Namespace: "shop", Pod: pod, Code: logline.Unknown}
}

func podsOf(b *synth.Builder, pods ...logline.KubePod) {
	b.Run.Logs[len(b.Run.Logs)-1].Pods = pods
}

func workloadNamed(b *synth.Builder, name string) {
	b.Run.Plan.App = record.App{Kind: record.AppKubernetes, Name: "deployment " + name}
}

// The end of a pod that is not the app's explains no stream.
func TestFactsOfOtherPods(t *testing.T) {
	appLog := func(b *synth.Builder, name string, lines ...synth.LogLine) {
		app(b, lines...)
		b.Run.Logs[len(b.Run.Logs)-1].Name = name
	}
	for name, tt := range map[string]struct {
		build func(b *synth.Builder)
		want  string // the cause, "" for none that is more than possible
		level string
		says  string
	}{
		"the app's own, by the plan": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, oom(chatPod, "app"), pulled(batchPod))
		}, diagnose.MemoryKillAll, "certain", "OOMKilled"},
		"another's, by the plan": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, oom(batchPod, "app"), pulled(chatPod))
		}, "", "", "possible, other pod"},
		"another's alone, by the plan": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"another's that was told to go": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, logline.KubeFact{Reason: "Killing", Pod: batchPod, Code: logline.Unknown}, pulled(chatPod))
		}, "", "", "possible, other pod"},
		"another's, by the app's log file": {func(b *synth.Builder) {
			appLog(b, "app-"+chatPod+".log")
			kube(b, 2*sec, oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"another's, by the pod that writes the log": {func(b *synth.Builder) {
			b.Log(record.AppLog, at(0, "[pod/"+chatPod+"/app] INFO:     Started server process [11]"))
			kube(b, 2*sec, oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"the app's own, by the pod that writes the log": {func(b *synth.Builder) {
			b.Log(record.AppLog, at(0, "[pod/"+chatPod+"/app] INFO:     Started server process [11]"))
			kube(b, 2*sec, oom(chatPod, "app"), oom(batchPod, "app"))
		}, diagnose.MemoryKillAll, "certain", "OOMKilled"},
		"another's, by the host in the log": {func(b *synth.Builder) {
			b.Log(record.AppLog, at(0, `{"level":30,"time":1795608000000,"pid":1,"hostname":"`+chatPod+`","msg":"listening"}`))
			kube(b, 2*sec, oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"another's, by a request of ours": {func(b *synth.Builder) {
			b.Log(record.AppLog, at(sec, "[pod/"+chatPod+"/app] INFO: answer nonce-1 begun"), at(2500*ms,
				"[pod/"+batchPod+"/app] Traceback (most recent call last):"),
				at(2500*ms, `[pod/`+batchPod+`/app]   File "/srv/batch.py", line 3, in run`), at(2500*ms,
					"[pod/"+batchPod+"/app] ValueError: no rows"))
			kube(b, 2*sec, oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"another's, by the address that the edge names": {func(b *synth.Builder) {
			nginx(b, at(2500*ms, `2026/11/25 12:00:02 [info] 7#7: *1 client 10.0.0.9 closed, request: "GET /chat HTTP/1.1", upstream: "http://10.0.0.7:8000/chat"`))
			b.Run.Plan.Request.URL = "http://127.0.0.1:8000/chat"
			kube(b, 2*sec, oom(batchPod, "app"))
			podsOf(b, logline.KubePod{Namespace: "shop", Name: chatPod, Workload: "chat", Addr: "10.0.0.7"},
				logline.KubePod{Namespace: "shop", Name: batchPod, Workload: "batch", Addr: "10.0.0.8"})
		}, "", "", "possible, other pod"},
		"another namespace has one of the name": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, oom(chatPod, "app"), logline.KubeFact{Reason: "Pulled", Namespace: "stage",
				Pod: "chat-66c4b5d7f8-zk4m2", Code: logline.Unknown})
		}, diagnose.MemoryKillAll, "likely", "only one whose ends"},

		"a sidecar of the app's pod": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			kube(b, 2*sec, oom(chatPod, "fluent-bit"))
			podsOf(b, logline.KubePod{Namespace: "shop", Name: chatPod, Workload: "chat", Containers: []string{"web",
				"fluent-bit"}})
		}, "", "", "possible, other pod"},
		"a container that does not serve, by the plan": {func(b *synth.Builder) {
			workloadNamed(b, "chat")
			b.Run.Plan.Scenarios[0].Layers = []record.Layer{{Name: "kubernetes",
				Settings: map[string]string{"container": "web"}}}
			kube(b, 2*sec, oom(chatPod, "indexer"))
		}, "", "", "possible, other pod"},
		"the app's container beside a sidecar": {func(b *synth.Builder) {
			kube(b, 2*sec, oom(chatPod, "web"))
			podsOf(b, logline.KubePod{Namespace: "shop", Name: chatPod, Workload: "chat", Containers: []string{"web",
				"istio-proxy"}})
		}, diagnose.MemoryKillAll, "certain", "OOMKilled"},

		"several workloads, one agrees": {func(b *synth.Builder) {
			kube(b, 2*sec, oom(chatPod, "app"), pulled(batchPod))
		}, diagnose.MemoryKillAll, "likely", "only one whose ends"},
		"several workloads, two died": {func(b *synth.Builder) {
			kube(b, 2*sec, oom(chatPod, "app"), oom(batchPod, "app"))
		}, "", "", "possible, other pod"},
		"several workloads, and the streams ended at more moments": {func(b *synth.Builder) {
			b.Each(3, func(i int) synth.Shape {
				return synth.Shape{Start: time.Duration(i) * 90 * ms, Events: 80, Mute: true, Keep: 9, End: synth.CutAt(1700 * ms)}
			})
			kube(b, 2*sec, oom(chatPod, "app"), pulled(batchPod))
		}, "", "", "possible, other pod"},
		"several workloads, and another pod of the one died without a cut": {func(b *synth.Builder) {
			b.Add(1, synth.Shape{Events: 400})
			kube(b, 2*sec, oom(chatPod, "app"), pulled(batchPod))
			l := &b.Run.Logs[len(b.Run.Logs)-1]
			l.Kube = append(l.Kube, oom("chat-7d9f8b6c5d-bbbbb", "app"))
			l.Lines = append(l.Lines, record.Line{N: 3, At: 12 * sec, Within: sec, Text: "OOMKilled"})
		}, "", "", "possible, other pod"},
		"a node's word among several workloads": {func(b *synth.Builder) {
			kube(b, 2*sec, logline.KubeFact{Reason: "OOMKilling", Code: logline.Unknown}, pulled(chatPod), pulled(batchPod))
		}, "", "", ""},
	} {
		b := stranger()
		cutTogether(b)
		tt.build(b)
		causes := toldOf(b)
		switch {
		case len(causes) == 0:
			t.Errorf("%s: no cause", name)
		case tt.want == "" && causes[0].Confidence != "possible":
			t.Errorf("%s accuses:\n%s", name, evidence(causes))
		case tt.want != "" && (causes[0].Cause != tt.want || causes[0].Confidence != tt.level):
			t.Errorf("%s: want %q (%s):\n%s", name, tt.want, tt.level, evidence(causes))
		case !strings.Contains(evidence(causes), tt.says):
			t.Errorf("%s does not say %q:\n%s", name, tt.says, evidence(causes))
		}
	}
}

// A stack's log of a replica is that replica's, whichever host its lines speak of.
func TestLogOfAReplica(t *testing.T) {
	b := stranger()
	b.Add(1, synth.Shape{Mute: true, Keep: 20, Events: 80, End: synth.CutAt(2500 * ms)})
	b.Log(record.AppLog, at(2500*ms, `{"msg":"Exception in ASGI application","host":"`+batchPod+`"}`))
	l := &b.Run.Logs[0]
	l.Name, l.Scenario = "app.0.log", "control"
	workloadNamed(b, "chat")
	if causes := toldOf(b); len(causes) == 0 || causes[0].Cause != diagnose.AppError ||
		causes[0].Confidence == "possible" {
		t.Errorf("%s", evidence(causes))
	}
}

// A proxy's timeout stays one, whatever ends elsewhere in its second.
func TestTimeoutBesideAnotherPod(t *testing.T) {
	for _, fact := range []logline.KubeFact{
		oom(batchPod, "app"),
		{Reason: "Killing", Namespace: "shop", Pod: batchPod, Container: "app", Code: logline.Unknown},
		{Reason: "Evicted", Namespace: "shop", Pod: batchPod, Code: logline.Unknown},
		{Reason: "Error", Namespace: "shop", Pod: batchPod, Container: "app", Code: 1},
	} {
		b := stranger()
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * ms, Events: 80, Mute: true, Keep: 5, End: synth.CutAt(2500 * ms)}
		})
		logAt(b, record.NginxError, []time.Duration{2500 * ms}, func(int) string {
			return "2026/11/25 12:00:02 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading " +
				"upstream, client: 127.0.0.1"
		})
		kube(b, 2*sec, fact, pulled(chatPod))
		workloadNamed(b, "chat")
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != diagnose.ProxyReadTimeout || strings.Contains(evidence(causes), batchPod) {
			t.Errorf("%s:\n%s", fact.Reason, evidence(causes))
		}
	}
}

// What the pods of others raise and lose stands in no finding about the app.
func TestLinesOfOtherPods(t *testing.T) {
	of := func(pod, text string) synth.LogLine { return at(2500*ms, "[pod/"+pod+"/app] "+text) }
	for name, tt := range map[string]struct {
		lines []synth.LogLine
		want  bool // the app is accused
	}{
		"an exception of the app": {[]synth.LogLine{of(chatPod, "ERROR:    Exception in ASGI application"),
			of(batchPod, "INFO: fine")}, true},
		"an exception of another": {[]synth.LogLine{of(chatPod, "INFO: fine"), of(batchPod,
			"ERROR:    Exception in ASGI application")}, false},
		"a worker of the app": {[]synth.LogLine{of(chatPod,
			"[9] [ERROR] Worker (pid:11) was sent SIGKILL! Perhaps out of memory?"), of(batchPod, "INFO: fine")}, true},
		"a worker of another": {[]synth.LogLine{of(chatPod, "INFO: fine"), of(batchPod,
			"[9] [ERROR] Worker (pid:11) was sent SIGKILL! Perhaps out of memory?")}, false},
		"a signal to another": {[]synth.LogLine{of(chatPod, "INFO: fine"), of(batchPod,
			"[9] [INFO] Handling signal: term")}, false},
		"a worker of another, stern": {[]synth.LogLine{at(0, chatPod+" app INFO: fine"), at(2500*ms,
			batchPod+" app Worker (pid:11) was sent SIGKILL!")}, false},
		"a worker of the app in stern": {[]synth.LogLine{at(0, batchPod+" app INFO: fine"), at(2500*ms,
			chatPod+" app Worker (pid:11) was sent SIGKILL!")}, true},
		"an exception beside another container": {[]synth.LogLine{at(0, "[pod/"+chatPod+"/cache] INFO: fine"), at(0,
			"[pod/"+chatPod+"/web] INFO: fine"), at(2500*ms,
			"[pod/"+chatPod+"/web] ERROR:    Exception in ASGI application")}, true},
		"an exception in a sidecar": {[]synth.LogLine{at(0, "[pod/"+chatPod+"/web] INFO: fine"), at(2500*ms,
			"[pod/"+chatPod+"/promtail] ERROR:    Exception in ASGI application")}, false},
	} {
		b := stranger()
		if strings.Contains(name, "exception") {
			b.Add(1, synth.Shape{Mute: true, Keep: 20, Events: 80, End: synth.CutAt(2500 * ms)})
		} else {
			cutTogether(b)
		}
		b.Log(record.AppLog, tt.lines...)
		workloadNamed(b, "chat")
		causes := toldOf(b)
		if got := len(causes) > 0 && causes[0].Confidence != "possible"; got != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}

// services adds what docker compose wrote down of several, each as a log of its own.
func services(b *synth.Builder, says map[string][]synth.LogLine) {
	for _, name := range slices.Sorted(maps.Keys(says)) {
		if b.Log(record.AppLog, says[name]...); name == "" {
			continue
		}
		b.Run.Logs[len(b.Run.Logs)-1].Service = name
	}
}

// An exception and its traceback belong together, however many lines of other services stand
// between them in their file: these only answer to connections that somebody else closed.
func TestTraceAmongOtherServices(t *testing.T) {
	b := stranger()
	cutTogether(b)
	services(b, map[string][]synth.LogLine{"api-1": slices.Repeat([]synth.LogLine{
		at(2500*ms, "ERROR:    Exception in ASGI application"), at(2500*ms, "Traceback (most recent call last):"),
		at(2500*ms, "starlette.requests.ClientDisconnect")}, 8)})
	for i := range b.Run.Logs[0].Lines {
		b.Run.Logs[0].Lines[i].N = 10 * (i + 1)
	}
	causes := toldOf(b)
	if slices.ContainsFunc(causes, func(c verdict.Cause) bool { return c.Cause == diagnose.AppError }) {
		t.Error(evidence(causes))
	}
}

// What services that are not the app write, and do not write, says nothing of it.
func TestSilenceOfOtherServices(t *testing.T) {
	for service, want := range map[string]bool{"api-1": true, "redis-1": false} {
		b := stranger()
		cutTogether(b)
		services(b, map[string][]synth.LogLine{"redis-1": nil, "api-1": nil, service: {at(0, "WARNING: fine")}})
		ruledOut := strings.Contains(evidence(toldOf(b)), "an exception that the app logs: none in its log")
		if ruledOut != want {
			t.Errorf("%s speaks: %v that the app raised nothing\n%s", service, ruledOut, evidence(toldOf(b)))
		}
	}
}

// Of the services in one log of docker compose the app is the one that writes the IDs of our
// requests, or the only one that is no database or the like; else nobody knows.
func TestLinesOfOtherServices(t *testing.T) {
	fine := []synth.LogLine{at(0, "INFO: fine")}
	killed := []synth.LogLine{at(2500*ms, "[9] [ERROR] Worker (pid:11) was sent SIGKILL! Perhaps out of memory?")}
	for name, tt := range map[string]struct {
		says       map[string][]synth.LogLine
		confidence string
	}{
		"the only service":          {map[string][]synth.LogLine{"app-1": killed}, "certain"},
		"the app beside a database": {map[string][]synth.LogLine{"api-1": killed, "redis-1": fine}, "certain"},
		"a database":                {map[string][]synth.LogLine{"api-1": fine, "postgres-1": killed}, "possible"},
		"one of two that agrees":    {map[string][]synth.LogLine{"api-1": killed, "jobs-1": fine}, "likely"},
		"another than writes our ID": {map[string][]synth.LogLine{"api-1": {at(0, "INFO: start request=nonce-3")},
			"jobs-1": killed}, "possible"},
		"beside a database that cites our ID": {map[string][]synth.LogLine{"api-1": killed,
			"postgres-1": {at(0, "LOG: statement: INSERT INTO asked VALUES ('nonce-3')")}}, "certain"},
		"the app beside edges": {map[string][]synth.LogLine{"api-1": killed, "traefik-1": fine,
			"redis7": fine}, "certain"},
		"a model server alone":        {map[string][]synth.LogLine{"vllm-1": killed}, "certain"},
		"a database beside the app's": {map[string][]synth.LogLine{"": fine, "postgres-1": killed}, "possible"},
		"the app's beside a worker":   {map[string][]synth.LogLine{"": killed, "jobs-1": fine}, "certain"},
		"a worker of which one app may be": {map[string][]synth.LogLine{"": {at(2500*ms, "INFO: fine")},
			"jobs-1": killed}, "likely"},
		"both of two": {map[string][]synth.LogLine{"api-1": killed, "jobs-1": killed}, "possible"},
	} {
		b := stranger()
		cutTogether(b)
		services(b, tt.says)
		causes := toldOf(b)
		if len(causes) == 0 || string(causes[0].Confidence) != tt.confidence {
			t.Errorf("%s: want %s\n%s", name, tt.confidence, evidence(causes))
		}
	}
}
