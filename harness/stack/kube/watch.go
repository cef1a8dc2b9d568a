package kube

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// clusterLog is the file of all that the watches tell, as kubectl would write it.
const clusterLog = "kubernetes.json"

// A watcher follows the pods, the EndpointSlices and the Events of the workload. Its
// goroutines end with end.
type watcher struct {
	s      *Stack
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu   sync.Mutex // guards file
	file *os.File
}

// begin has read everything once when it returns.
func (w *watcher) begin(ctx context.Context, s *Stack) (err error) {
	w.s = s
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if w.file, err = os.Create(filepath.Join(s.spec.LogDir, clusterLog)); err != nil {
		return fmt.Errorf("open log of the cluster: %w", err)
	}
	pods := url.Values{"labelSelector": {s.work.Spec.Selector.labels()}}
	routes := url.Values{"labelSelector": {"kubernetes.io/service-name=" + s.app.Service}}
	for _, f := range []feed{
		{"pods", s.client.in("v1", "pods"), pods, s.pods.update, s.pods.only},
		{"EndpointSlices", s.client.in("discovery.k8s.io/v1", "endpointslices"), routes, s.routed, s.route.only},
		{"Events", s.client.in("v1", "events"), url.Values{}, s.happened, nil},
	} {
		version, err := w.read(ctx, f, f.name == "Events")
		if err != nil {
			return fmt.Errorf("read %s of namespace %s: %w", f.name, s.client.namespace, err)
		}
		w.all.Go(func() { w.follow(f, version) })
	}
	return nil
}

// end stops all watching.
func (w *watcher) end() error {
	if w.cancel == nil {
		return nil
	}
	w.cancel()
	w.all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// A feed is one kind of objects that is watched.
type feed struct {
	name, path string
	query      url.Values
	update     func(o object, gone bool)
	only       func(names map[string]bool) // forgets all others
}

// read reads all objects of a feed once. What was there before is no news where past is
// set.
func (w *watcher) read(ctx context.Context, f feed, past bool) (version string, err error) {
	l, err := w.s.client.list(ctx, f.path, f.query)
	if err != nil {
		return "", err
	}
	names := map[string]bool{}
	for _, raw := range l.Items {
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			return "", err
		}
		names[o.Metadata.Name] = true
		if !past {
			f.update(o, false)
		}
	}
	if f.only != nil {
		f.only(names)
	}
	return l.Metadata.ResourceVersion, nil
}

// againAfter is the pause before a watch that broke off is begun again.
const againAfter = 200 * time.Millisecond

// follow watches a feed. The API server ends watches now and then; one that cannot be
// begun again has lost the cluster, and with it the way of all streams.
func (w *watcher) follow(f feed, version string) {
	for w.ctx.Err() == nil {
		err := w.watch(f, &version)
		if w.ctx.Err() != nil {
			return
		}
		if err != nil { // what was told meanwhile is gone: look at all anew
			if version, err = w.read(w.ctx, f, f.only == nil); err != nil && w.ctx.Err() == nil {
				w.s.lost(fmt.Errorf("watch %s: %w", f.name, err))
				version = ""
			}
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(againAfter):
		}
	}
}

// errExpired says that the API server has forgotten what came after the version.
var errExpired = errors.New("the watch is too old")

// watch tells what happens after a version, and moves it on. Nil is an orderly end.
func (w *watcher) watch(f feed, version *string) error {
	query := url.Values{"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {*version}}
	for k, v := range f.query {
		query[k] = v
	}
	res, err := w.s.client.do(w.ctx, http.MethodGet, f.path, query, "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := w.take(f, line, version); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take takes in one line of a watch.
func (w *watcher) take(f feed, line []byte, version *string) error {
	var e struct {
		Type   string
		Object object
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	if e.Type == "ERROR" {
		return errExpired
	}
	*version = e.Object.Metadata.ResourceVersion
	if e.Type == "BOOKMARK" || f.only == nil && !w.s.ours(&e.Object) {
		return nil
	}
	f.update(e.Object, e.Type == "DELETED")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil || e.Object.Kind == "EndpointSlice" {
		return nil
	}
	if e.Object.Kind == "Pod" {
		var err error
		if line, err = outward(line); err != nil {
			return err
		}
	}
	_, err := w.file.Write(line)
	return err
}

// outward is what a line tells of a pod without what may hold secrets: the values of its
// environment, and what was applied. They belong into no log.
func outward(line []byte) ([]byte, error) {
	var e struct {
		Type   string                     `json:"type"`
		Object map[string]json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, err
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(e.Object["metadata"], &meta); err != nil {
		return nil, err
	}
	delete(e.Object, "spec")
	delete(meta, "annotations")
	delete(meta, "managedFields")
	var err error
	if e.Object["metadata"], err = json.Marshal(meta); err != nil {
		return nil, err
	}
	line, err = json.Marshal(e)
	return append(line, '\n'), err
}

// ours reports whether an Event is about a pod of the workload, or about the workload.
func (s *Stack) ours(o *object) bool {
	if o.InvolvedObject.Kind == "Pod" {
		return s.pods.named(o.InvolvedObject.Name) != ""
	}
	return o.InvolvedObject.UID == s.work.Metadata.UID || s.scaler(o)
}

// scaler reports whether an Event is about a HorizontalPodAutoscaler of the workload.
func (s *Stack) scaler(o *object) bool {
	return o.InvolvedObject.Kind == "HorizontalPodAutoscaler" && s.around.scalers[o.InvolvedObject.Name]
}

// routed takes in an EndpointSlice.
func (s *Stack) routed(o object, gone bool) {
	at := s.spec.Now()
	came, went := s.route.update(o, gone)
	for _, pod := range came {
		s.tell(at, record.KindRouted, s.pods.named(pod), 0, "pod "+pod)
	}
	for _, pod := range went {
		s.tell(at, record.KindUnrouted, s.pods.named(pod), 0, "pod "+pod)
	}
}

// happened takes in an Event. Most say again what the pods' own status does; these do not.
func (s *Stack) happened(o object, gone bool) {
	name := s.pods.named(o.InvolvedObject.Name)
	switch {
	case !gone && o.Reason == "SuccessfulRescale" && s.scaler(&o):
		s.spec.Notify(stack.Event{At: s.spec.Now(), Source: record.KubernetesSource, Kind: record.KindScaled,
			Subject: o.InvolvedObject.Name, Text: oneLine(o.Message)})
	case gone || name == "":
	case o.Reason == "Killing" && strings.HasPrefix(o.Message, "Container "+s.container+" failed liveness probe"):
		s.tell(s.spec.Now(), record.KindProbeKill, name, 0, oneLine(o.Message))
		s.tell(s.spec.Now(), record.KindStop, name, 15, "liveness probe failed")
	case slices.Contains([]string{"FailedScheduling", "Failed"}, o.Reason):
		s.tell(s.spec.Now(), record.KindUnplaced, name, 0, o.Reason+": "+oneLine(o.Message))
	}
}

// tell passes on what the cluster says of a pod.
func (s *Stack) tell(at time.Duration, kind record.EventKind, replica string, code int, text string) {
	if replica == "" {
		return
	}
	e := stack.Event{At: at, Source: record.KubernetesSource, Kind: kind, Subject: replica, Code: code, Text: text}
	if kind == record.KindExit || kind == record.KindStart {
		e.Pid = 1
	}
	s.spec.Notify(e)
}
