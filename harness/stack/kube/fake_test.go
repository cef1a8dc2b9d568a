package kube

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A fake is an API server with one Deployment, chat, whose pods are all served by one
// server of this process. It scales as asked: its pods are ready at once.
type fake struct {
	*httptest.Server
	pod *httptest.Server // behind port-forward

	mu       sync.Mutex // guards what follows
	replicas int
	notes    map[string]string   // annotations of the Deployment
	pods     []map[string]any    // in the order of their births
	born     int                 // pods so far
	history  map[string][][]byte // of watches, by resource
	news     chan struct{}       // closed, and made anew, when some comes
	denied   map[string]bool     // "create pods/portforward" and the like
	answers  map[string]int      // statuses in place of answers, by a part of "METHOD path"
	message  string              // of those answers
	options  []byte              // of the last eviction or deletion
	unplaced bool                // new pods find no node
	waiting  string              // the state of the first container of new pods, which come no further
	grace    int                 // of pods, in seconds
	silent   map[string]bool     // pods that are in the EndpointSlice as not ready
	nodes    map[string]bool     // whether each takes pods; new pods go to the first that does
	headless bool                // the Service has no address of its own
	done     chan struct{}
	cut      chan struct{} // closed to cut the connections to pods
	jobs     *jobs         // nil where it runs none

	around map[string]string // lists of what stands around it, by resource, as JSON

	change func(work map[string]any) // makes another workload of the Deployment; nil for none
}

func newFake(t *testing.T, app http.Handler) *fake {
	t.Helper()
	f := &fake{replicas: 2, notes: map[string]string{}, history: map[string][][]byte{}, news: make(chan struct{}),
		denied:  map[string]bool{},
		nodes:   map[string]bool{"node-a": true, "node-b": true},
		answers: map[string]int{}, silent: map[string]bool{}, grace: 30, done: make(chan struct{}), cut: make(chan struct{})}
	f.pod = httptest.NewServer(app)
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.stop)
	f.scale(2)
	config := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "test",
"clusters": [{"name": "test", "cluster": {"server": %q}}], "users": [{"name": "u", "user": {"token": "t"}}],
"contexts": [{"name": "test", "context": {"cluster": "test", "user": "u", "namespace": "shop"}}]}`, f.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", config)
	return f
}

// stop ends the API server as a crash does, connections and all.
func (f *fake) stop() {
	f.mu.Lock()
	if !isClosed(f.done) {
		close(f.done)
	}
	f.mu.Unlock()
	f.CloseClientConnections()
	f.Close()
	f.pod.CloseClientConnections()
	f.pod.Close()
}

// scale gives the Deployment so many pods.
func (f *fake) scale(n int) {
	for f.replicas = n; len(f.pods) < n; f.born++ {
		f.pods = append(f.pods, f.newPod(f.born))
		f.tell("pods", "ADDED", f.pods[len(f.pods)-1])
	}
	for len(f.pods) > n {
		f.remove(0)
	}
	f.tell("endpointslices", "MODIFIED", f.slice())
}

// remove takes a pod away, as after its grace.
func (f *fake) remove(i int) {
	p := f.pods[i]
	f.pods = append(append([]map[string]any{}, f.pods[:i]...), f.pods[i+1:]...)
	f.tell("endpointslices", "MODIFIED", f.slice())
	meta := p["metadata"].(map[string]any)
	meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"] = time.Now().UTC().Format(time.RFC3339), 30
	f.tell("pods", "MODIFIED", p)
	p["status"] = podStatus("Succeeded", false, `{"terminated": {"exitCode": 0, "reason": "Completed", "containerID": "c-`+
		meta["name"].(string)+`", "finishedAt": "`+time.Now().UTC().Format(time.RFC3339)+`"}}`, meta["name"].(string))
	f.tell("pods", "MODIFIED", p)
	f.tell("pods", "DELETED", p)
}

func (f *fake) newPod(i int) map[string]any {
	name := fmt.Sprintf("chat-%d", i)
	p := map[string]any{"kind": "Pod", "metadata": map[string]any{"name": name, "uid": "u-" + name, "resourceVersion": "1",
		"labels": map[string]any{"app": "chat"}},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "app"}}, "terminationGracePeriodSeconds": 30,
			"nodeName": f.free()},
		"status": podStatus("Running", true, `{"running": {"startedAt": "`+time.Now().UTC().Format(time.RFC3339)+`"}}`, name)}
	if f.waiting != "" {
		p["status"] = map[string]any{"phase": "Pending", "initContainerStatuses": []any{map[string]any{"name": "migrate",
			"state": json.RawMessage(f.waiting)}}}
	} else if f.unplaced {
		p["status"] = map[string]any{"phase": "Pending", "conditions": []any{map[string]any{"type": "PodScheduled",
			"status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}}}
	}
	return p
}

// free is the first node that takes pods.
func (f *fake) free() string {
	for _, name := range slices.Sorted(maps.Keys(f.nodes)) {
		if f.nodes[name] {
			return name
		}
	}
	return ""
}

// listNodes lists the nodes, all of them ready.
func (f *fake) listNodes(w http.ResponseWriter) {
	var all []any
	for _, name := range slices.Sorted(maps.Keys(f.nodes)) {
		all = append(all, map[string]any{"metadata": map[string]any{"name": name},
			"spec":   map[string]any{"unschedulable": !f.nodes[name]},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}})
	}
	f.list(w, "nodes", all)
}

// patchNode has a node take pods, or none.
func (f *fake) patchNode(r *http.Request, name string) {
	var q struct{ Spec struct{ Unschedulable *bool } }
	json.NewDecoder(r.Body).Decode(&q)
	f.nodes[name] = q.Spec.Unschedulable == nil
}

func podStatus(phase string, ready bool, state, pod string) map[string]any {
	is := map[bool]string{true: "True", false: "False"}[ready]
	return map[string]any{"phase": phase, "conditions": []any{map[string]any{"type": "Ready", "status": is}},
		"containerStatuses": []any{map[string]any{"name": "app", "containerID": "c-" + pod, "state": json.RawMessage(state)}}}
}

func (f *fake) slice() map[string]any {
	endpoints := []any{}
	for _, p := range f.pods {
		name := p["metadata"].(map[string]any)["name"].(string)
		endpoints = append(endpoints, map[string]any{"addresses": []any{"10.0.0." + strings.TrimPrefix(name, "chat-")},
			"conditions": map[string]any{"ready": !f.silent[name] && !f.unplaced},
			"targetRef":  map[string]any{"kind": "Pod", "name": name}})
	}
	_, port, _ := net.SplitHostPort(f.pod.Listener.Addr().String())
	return map[string]any{"kind": "EndpointSlice", "metadata": map[string]any{"name": "chat-1", "resourceVersion": "1"},
		"ports": []any{map[string]any{"name": "http", "port": json.Number(port)}}, "endpoints": endpoints}
}

func (f *fake) work() map[string]any {
	w := map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": "chat", "uid": "d",
		"annotations": f.notes},
		"spec": map[string]any{"replicas": f.replicas, "selector": map[string]any{"matchLabels": map[string]any{"app": "chat"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "chat", "tier": "web"}},
				"spec": map[string]any{"terminationGracePeriodSeconds": f.grace,
					"containers": []any{map[string]any{"name": "app"}}}}}}
	if f.change != nil {
		f.change(w)
	}
	return w
}

// tell adds a change, as it is now, to what watches get. f.mu is held, or nobody watches.
func (f *fake) tell(resource, kind string, o map[string]any) {
	line, _ := json.Marshal(map[string]any{"type": kind, "object": o})
	f.history[resource] = append(f.history[resource], append(line, '\n'))
	close(f.news)
	f.news = make(chan struct{})
}

// list answers with all that there is of a resource. f.mu is held.
func (f *fake) list(w http.ResponseWriter, resource string, items any) {
	json.NewEncoder(w).Encode(map[string]any{"items": items,
		"metadata": map[string]any{"resourceVersion": strconv.Itoa(len(f.history[resource]))}})
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !asked.allows(w, r, f.jobs != nil) {
		return
	}
	asked := r.Method + " " + r.URL.Path
	f.mu.Lock()
	defer f.mu.Unlock()
	for part, code := range f.answers {
		if strings.Contains(asked, part) {
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"kind": "Status", "message": %q, "code": %d}`, cmp.Or(f.message, fmt.Sprint("answer ", code)), code)
			return
		}
	}
	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if f.jobs != nil && f.jobs.serve(w, r, last) {
		return
	}
	switch {
	case last == "selfsubjectaccessreviews":
		f.review(w, r)
	case r.URL.Path == "/version":
		fmt.Fprint(w, `{"gitVersion": "v1.34.4"}`)
	case strings.HasSuffix(asked, "/deployments/chat") && r.Method == http.MethodPatch:
		f.patch(w, r)
	case strings.HasSuffix(asked, "GET /apis/apps/v1/namespaces/shop/deployments/chat"):
		json.NewEncoder(w).Encode(f.work())
	case last == "chat":
		ip := "10.96.0.7"
		if f.headless {
			ip = "None"
		}
		fmt.Fprintf(w, `{"kind": "Service", "metadata": {"name": "chat"}, "spec": {"clusterIP": %q, "ports": [{"name": "http",
"port": 80}]}}`, ip)
	case r.URL.Query().Get("watch") == "1":
		f.watch(w, r, last)
	case last == "nodes":
		f.listNodes(w)
	case strings.HasPrefix(asked, "PATCH /api/v1/nodes/"):
		f.patchNode(r, last)
		fmt.Fprint(w, `{}`)
	case last == "pods":
		f.list(w, last, f.pods)
	case last == "endpointslices":
		f.list(w, last, []any{f.slice()})
	case last == "events":
		f.list(w, last, []any{})
	case f.around[last] != "":
		fmt.Fprint(w, `{"metadata": {"resourceVersion": "1"}, "items": `, f.around[last], `}`)
	case last == "portforward":
		to := f.pod.Listener.Addr().String()
		if f.jobs != nil {
			to = f.jobs.addr(strings.Split(r.URL.Path, "/")[6])
		}
		f.mu.Unlock()
		f.forward(w, r, to)
		f.mu.Lock()
	case last == "eviction", r.Method == http.MethodDelete && strings.HasPrefix(last, "chat-"):
		f.options, _ = io.ReadAll(r.Body)
		name := strings.Split(r.URL.Path, "/")[6]
		for i, p := range f.pods {
			if p["metadata"].(map[string]any)["name"] == name {
				f.remove(i)
				f.scale(f.replicas)
				break
			}
		}
		fmt.Fprint(w, `{}`)
	case strings.Contains(asked, "PATCH"):
		fmt.Fprint(w, `{}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message": "%s not found"}`, last)
	}
}

func (f *fake) review(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Spec struct {
			ResourceAttributes struct{ Verb, Resource, Subresource string }
		}
	}
	json.NewDecoder(r.Body).Decode(&q)
	a := q.Spec.ResourceAttributes
	what := strings.TrimSuffix(a.Verb+" "+a.Resource+"/"+a.Subresource, "/")
	fmt.Fprintf(w, `{"status": {"allowed": %v}}`, !f.denied[what])
}

func (f *fake) patch(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Metadata struct{ Annotations map[string]*string }
		Spec     struct{ Replicas *int }
	}
	json.NewDecoder(r.Body).Decode(&q)
	for k, v := range q.Metadata.Annotations {
		if delete(f.notes, k); v != nil {
			f.notes[k] = *v
		}
	}
	if q.Spec.Replicas != nil {
		f.scale(*q.Spec.Replicas)
	}
	json.NewEncoder(w).Encode(f.work())
}

// watch sends what has happened since a version, and from now on. f.mu is held.
func (f *fake) watch(w http.ResponseWriter, r *http.Request, resource string) {
	next, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	for {
		lines, news := f.history[resource][next:], f.news
		next += len(lines)
		f.mu.Unlock()
		w.Write(bytes.Join(lines, nil))
		w.(http.Flusher).Flush()
		select {
		case <-news:
		case <-r.Context().Done():
		case <-f.done:
		}
		f.mu.Lock()
		if isClosed(f.done) || r.Context().Err() != nil {
			return
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// forward carries a connection to a pod, as the kubelet does.
func (f *fake) forward(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set(httpstream.HeaderProtocolVersion, "portforward.k8s.io")
	streams := make(chan httpstream.Stream, 2)
	up := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if up == nil {
		return
	}
	defer up.Close()
	var fault, data httpstream.Stream
	for fault == nil || data == nil {
		select {
		case s := <-streams:
			if s.Headers().Get("streamType") == "error" {
				fault = s
			} else {
				data = s
			}
		case <-f.done:
			return
		}
	}
	conn, err := net.Dial("tcp", to)
	if err != nil {
		io.WriteString(fault, err.Error())
		fault.Close()
		data.Close()
		return
	}
	defer conn.Close()
	go func() { io.Copy(conn, data); conn.(*net.TCPConn).CloseWrite() }()
	ended := make(chan struct{})
	go func() { io.Copy(data, conn); close(ended) }()
	select {
	case <-ended:
		fault.Close()
		data.Close()
		<-up.CloseChan()
	case <-up.CloseChan():
	case <-f.cut:
	case <-f.done:
	}
}

var chat = stack.Kubernetes{Deployment: "chat", Service: "chat"}

// A told is what a stack has told.
type told struct {
	mu   sync.Mutex
	list []stack.Event
}

func (t *told) add(e stack.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, e)
}

// of are the events of a kind.
func (t *told) of(kind record.EventKind) (list []stack.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.list {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}
