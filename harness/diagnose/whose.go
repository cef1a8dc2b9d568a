package diagnose

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// What a cluster and its logs tell may be of any pod of a namespace. The end of a pod that
// is not the app's explains no stream, however well it fits in time:
//
//	the app's pods are known │ facts of others are no evidence
//	several workloads, and   │ the one whose ends agree with those of streams is likely,
//	nobody knows which       │ all else is no more than possible
//	one workload             │ it is the app

// A whose says whose a line of a log is.
type whose int

const (
	theApps  whose = iota // of the app, or of nothing that the log tells from it
	byTime                // nothing says so but that its ends and those of streams agree
	anyones               // nobody knows
	anothers              // of another pod, or another container of the app's
)

// A workload is a Deployment, StatefulSet, DaemonSet or Job.
type workload struct{ namespace, name string }

// A told is what a line says of whom it is about; no pod is the node. A service of docker
// compose or of a process manager is a workload, and its instances are the pods.
type told struct {
	workload
	pod, container string
	wrote          bool // the line, in a log of the app
	service        bool // it is one, and no pod
}

// workloads are those that logs tell of.
type workloads struct {
	lines      map[lineKey]told
	all        map[workload]bool
	containers map[workload]map[string]bool
	own        map[string]bool // names of those that are the app; empty where nobody knows
	serving    map[string]bool // containers of the app that serve; empty where nobody knows
	agreeing   map[told]bool   // what byTime holds for, without its pods
	aside      map[string]bool // names of what only runs beside the app
	nameless   bool            // beside the log of services there is one that is an app's alone
}

// whoseLine is whose a line is.
func (v *view) whoseLine(l *record.Log, n int) whose {
	x, ok := v.workloads.lines[lineKey{l, n}]
	if !ok {
		return theApps
	}
	return v.workloads.standing(x)
}

// foreign reports whether a line is no evidence about the app.
func (v *view) foreign(h hit) bool { return v.whoseLine(h.log, h.line.N) >= anyones }

func (t *workloads) standing(x told) whose {
	switch {
	case x.pod == "" && len(t.all) > 1:
		return anyones
	case x.pod == "":
		return theApps
	case len(t.own) > 0 && !t.isOwn(x), len(t.own) == 0 && t.aside[x.name]:
		return anothers
	}
	s := t.ofContainer(x)
	several := len(t.all) > 1 || x.service && t.nameless
	if s == theApps && (len(t.own) == 0 && several || t.namesakes(x.name) > 1) {
		s = anyones
	}
	if s == anyones && t.agreeing[t.group(x)] {
		s = byTime
	}
	return s
}

// isOwn reports whether a pod is of the app's workload. Long names are cut short in those
// of pods.
func (t *workloads) isOwn(x told) bool {
	if t.own[x.name] {
		return true
	}
	const surelyKept = 40
	for name := range t.own {
		if len(name) > surelyKept && strings.HasPrefix(x.pod, name[:surelyKept]) {
			return true
		}
	}
	return false
}

// namesakes is in how many namespaces a workload of that name is told of.
func (t *workloads) namesakes(name string) (n int) {
	for w := range t.all {
		n += b2i(w.name == name && w.namespace != "")
	}
	return n
}

// ofContainer judges a container of a workload that may be the app.
func (t *workloads) ofContainer(x told) whose {
	if x.container == "" {
		return theApps
	}
	if len(t.serving) > 0 {
		return either(t.serving[x.container], theApps, anothers)
	}
	var serving []string
	for c := range t.containers[x.workload] {
		if !sidecar.MatchString(c) {
			serving = append(serving, c)
		}
	}
	if len(serving) == 0 { // it is the workload itself
		return theApps
	}
	if !slices.Contains(serving, x.container) {
		return anothers
	}
	if len(serving) == 1 {
		return theApps
	}
	for _, name := range []string{x.name, "app"} {
		if slices.Contains(serving, name) {
			return either(x.container == name, theApps, anothers)
		}
	}
	return either(x.wrote, theApps, anyones) // the user calls it the app's log
}

func either(first bool, a, b whose) whose {
	if first {
		return a
	}
	return b
}

// sidecar is what meshes and collectors call their containers beside that of an app.
var sidecar = regexp.MustCompile(`^(?:istio-(?:proxy|init)|linkerd-(?:proxy|init)|consul-dataplane|kuma-sidecar|` +
	`daprd|envoy(?:-sidecar)?|cloud-?sql-?proxy|vault-agent(?:-init)?|fluent-?(?:bit|d)|filebeat|promtail|otc-container|` +
	`otel-(?:collector|agent)|datadog-agent|xray-daemon|oauth2-proxy|queue-proxy)$`)

// What software is called by those who run it beside their app. It is not the app: a store, a
// queue or a watcher unless only it writes IDs of ours; a model server, an edge or a worker of
// jobs where others write, too.
var (
	neverApp = regexp.MustCompile(`^(?:.*[-_.])?(?:db|database|postgres(?:ql)?|pg|pgbouncer|pgadmin|mysql|mariadb|mssql|` +
		`mongo(?:db)?|redis|valkey|keydb|memcached|rabbitmq|kafka|zookeeper|nats|etcd|consul|vault|minio|elasticsearch|` +
		`opensearch|kibana|clickhouse|cassandra|neo4j|influxdb|qdrant|weaviate|chroma(?:db)?|milvus|prometheus|grafana|` +
		`loki|promtail|tempo|jaeger|otel-collector|mailhog|mailpit|localstack|flower|adminer)\d*$`)
	rarelyApp = regexp.MustCompile(`^(?:.*[-_.])?(?:ollama|vllm|nginx|openresty|haproxy|caddy|traefik|envoy|varnish|` +
		`httpd|ingress|lb|load-?balancer|celery|celery-?beat|beat|sidekiq|cron|scheduler)\d*$`)
)

// group is what has to be told apart: the workloads, or the containers of the only one.
func (t *workloads) group(x told) told {
	if len(t.own) == 0 && len(t.all) > 1 {
		return told{workload: x.workload}
	}
	return told{workload: x.workload, container: x.container}
}

// readWorkloads finds whose the lines of logs are, and forgets what those of others mean. It
// comes before the facts of the cluster are sorted.
func (v *view) readWorkloads() {
	t := &workloads{lines: map[lineKey]told{}, all: map[workload]bool{}, own: map[string]bool{},
		containers: map[workload]map[string]bool{}, serving: map[string]bool{}, agreeing: map[told]bool{},
		aside: map[string]bool{}}
	v.workloads = t
	v.workloadsOfCluster()
	v.workloadsOfLines()
	if len(t.lines) == 0 {
		return
	}
	v.ownWorkloads()
	v.agree()
	for i := range v.tags {
		v.tags[i] = slices.DeleteFunc(v.tags[i], func(h hit) bool {
			if !v.foreign(h) {
				return false
			}
			if cause, ok := endedBy[tag(i)]; ok {
				v.others = append(v.others, otherEnd{h, cause})
			}
			return true
		})
	}
	v.traces = slices.DeleteFunc(v.traces, func(t trace) bool { return v.foreign(t.hit) })
	v.logs[record.AppLog] = slices.DeleteFunc(v.logs[record.AppLog], func(l *record.Log) bool {
		return l.Service != "" && len(l.Lines) > 0 && v.whoseLine(l, l.Lines[0].N) == anothers
	})
}

// add notes what a line is about.
func (t *workloads) add(l *record.Log, n int, x told) {
	t.lines[lineKey{l, n}] = x
	if x.pod != "" {
		t.note(x.workload, x.container)
	}
}

func (t *workloads) note(w workload, containers ...string) {
	t.all[w] = true
	for _, c := range containers {
		if t.containers[w] == nil {
			t.containers[w] = map[string]bool{}
		}
		if c != "" {
			t.containers[w][c] = true
		}
	}
}

// workloadsOfCluster reads the facts and the pods of the cluster's own files.
func (v *view) workloadsOfCluster() {
	t := v.workloads
	of := map[[2]string]workload{}
	for _, l := range v.logs[record.KubernetesLog] {
		for _, p := range l.Pods {
			w := workload{p.Namespace, p.Workload}
			of[[2]string{p.Namespace, p.Name}] = w
			t.note(w, p.Containers...)
		}
	}
	for _, l := range v.logs[record.KubernetesLog] {
		for i := range l.Kube {
			k := &l.Kube[i]
			x := told{pod: k.Pod, container: k.Container}
			if w, ok := of[[2]string{k.Namespace, k.Pod}]; ok {
				x.workload = w
			} else {
				x.workload = workload{k.Namespace, logline.WorkloadOf(k.Pod)}
			}
			t.add(l, l.Lines[i].N, x)
		}
	}
}

// lookForPods is how many lines of a log are looked at for the pods that wrote them.
const lookForPods = 200

// workloadsOfLines reads which pods wrote the lines of the app's logs; those that a stack
// keeps for each replica need no word for it. What a workload's namespace is stands in no
// such line.
func (v *view) workloadsOfLines() {
	t := v.workloads
	known := map[string]workload{} // by name, the last of its namesakes
	for w := range t.all {
		if o, ok := known[w.name]; !ok || cmp.Compare(w.namespace, o.namespace) > 0 {
			known[w.name] = w
		}
	}
	services, nameless := false, false
	for _, l := range v.logs[record.AppLog] {
		if services = services || l.Service != ""; l.Service != "" {
			x := told{workload: workload{name: instance.ReplaceAllString(l.Service, "")}, pod: l.Service, wrote: true,
				service: true}
			for _, line := range l.Lines {
				t.add(l, line.N, x)
			}
			continue
		}
		says := func(line record.Line) bool { pod, _ := logline.PodIn(line.Text); return pod != "" }
		if l.Replica() != "" || !slices.ContainsFunc(l.Lines[:min(lookForPods, len(l.Lines))], says) {
			nameless = nameless || v.was[l].Sure
			continue
		}
		for _, line := range l.Lines {
			pod, container := logline.PodIn(line.Text)
			if pod == "" {
				continue
			}
			name := logline.WorkloadOf(pod)
			w, ok := known[name]
			if !ok {
				w = workload{name: name}
			}
			t.add(l, line.N, told{workload: w, pod: pod, container: container, wrote: true})
		}
	}
	t.nameless = services && nameless
}

// instance is what docker compose and process managers put behind the name of a service.
var instance = regexp.MustCompile(`[-_.]\d{1,4}$`)

// ownWorkloads finds which workloads are the app: the one that the user named; the only one
// that writes its log; those that speak of requests of ours; those at an address to which
// the edge sent them.
func (v *view) ownWorkloads() {
	t := v.workloads
	if app := v.Run.Plan.App; app.Kind == record.AppKubernetes {
		words := strings.Fields(app.Name) // "deployment chat"
		if len(words) > 0 {
			t.own[words[len(words)-1]] = true
		}
		if c := settings(v.Scope, layerKubernetes, "container"); c != "" {
			t.serving[c] = true
		}
	}
	if len(t.own) == 0 {
		v.ownByLog()
	}
	v.ownByFile()
	v.ownByAddress()
}

// ownByLog goes by the pods that write the log of the app.
func (v *view) ownByLog() {
	t := v.workloads
	nonces := v.nonces()
	wrote, ours := map[string]map[string]bool{}, map[string]map[string]bool{}
	note := func(into map[string]map[string]bool, x told) {
		if into[x.name] == nil {
			into[x.name] = map[string]bool{}
		}
		into[x.name][x.container] = true
	}
	for _, l := range v.logs[record.AppLog] {
		for _, line := range l.Lines {
			x, ok := t.lines[lineKey{l, line.N}]
			if !ok {
				continue
			}
			note(wrote, x)
			if _, access := logline.ParseAccess(l.Kind, line.Text); !access && slices.ContainsFunc(
				nonceInLine.FindAllString(line.Text, 3), func(id string) bool { return nonces[id] }) {
				note(ours, x)
			}
		}
	}
	mayBe := maps.Clone(wrote)
	maps.DeleteFunc(mayBe, func(name string, _ map[string]bool) bool {
		return neverApp.MatchString(name) || rarelyApp.MatchString(name)
	})
	for name := range wrote {
		never, others := neverApp.MatchString(name), len(mayBe) > 0 || t.nameless
		t.aside[name] = never && ours[name] == nil || others && (never || rarelyApp.MatchString(name))
	}
	maps.DeleteFunc(ours, func(name string, _ map[string]bool) bool { return t.aside[name] }) // databases cite IDs
	if len(ours) == 0 && len(mayBe) == 1 && !t.nameless {
		ours = mayBe
	}
	for name, containers := range ours {
		t.own[name] = true
		if len(ours) == 1 && (len(containers) == 1 || len(wrote) > 1) && !containers[""] {
			t.serving = containers
		}
	}
}

// ownByFile goes by the names of the app's log files: chat-7d9f8b6c5d-x2x9k.log, or
// chat-0_shop_app-….log as container runtimes have them.
func (v *view) ownByFile() {
	t := v.workloads
	pods := map[string]string{}
	for _, x := range t.lines {
		pods[x.pod] = x.name
	}
	for _, l := range v.logs[record.KubernetesLog] {
		for _, p := range l.Pods {
			pods[p.Name] = p.Workload
		}
	}
	delete(pods, "")
	for _, l := range v.logs[record.AppLog] {
		base := kindInName.ReplaceAllString(l.Name, "")
		first := nameEnds.Split(base, 2)[0]
		if name, ok := pods[first]; ok {
			t.own[name] = true
		} else if logline.IsPod(first) {
			t.own[logline.WorkloadOf(first)] = true
		}
	}
}

var (
	kindInName = regexp.MustCompile(`^[a-z_]+(?:-\d+)?-`) // that an attached log is filed under
	nameEnds   = regexp.MustCompile(`[^a-z0-9-]`)
)

// ownByAddress goes by the addresses of pods: that under test, and those to which an edge
// says that it passed our requests on.
func (v *view) ownByAddress() {
	t := v.workloads
	host := ""
	if u, err := url.Parse(v.Run.Plan.App.Name); err == nil {
		host = u.Hostname()
	}
	for _, l := range v.logs[record.KubernetesLog] {
		for _, p := range l.Pods {
			if p.Addr != "" && (p.Addr == host || v.passedOnTo(p.Addr)) {
				t.own[p.Workload] = true
			}
		}
	}
}

// passedOnTo reports whether a line of an edge about a request of ours names an address
// behind it.
func (v *view) passedOnTo(addr string) bool {
	for _, i := range v.access.of {
		a := &v.access.all[i]
		if a.log.Kind.Edge() && strings.LastIndex(a.line.Text, addr+":") > 0 {
			return true
		}
	}
	for _, l := range v.logs[record.NginxError] {
		for _, line := range l.Lines {
			path := requestIn(l, line.Text)
			if path != "" && !v.ofAnother(path) && strings.Contains(line.Text, "//"+addr+":") {
				return true
			}
		}
	}
	return false
}
