package kube

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness"
)

const (
	workerContainer = "worker"
	workerPort      = 7070 // of the pod's loopback
	// nobody is the user of the workers, as distroless images call it.
	nobody = 65532
	// parentMargin is how much longer than all pods may take to run a worker waits for us.
	parentMargin = 2 * time.Minute
	// afterwards is how long the cluster keeps a Job whose pods have ended, where nobody
	// deletes it, in seconds.
	afterwards = 60
)

// parentNote is the annotation of a Job that says whose it is: a host, and the folder
// that lives as long as the process there (package scratch).
const parentNote = "streamproof.io/parent"

// fleetLabels are those of all that a fleet makes.
var fleetLabels = map[string]string{"app.kubernetes.io/name": "streamproof",
	"app.kubernetes.io/component": "load-worker", "app.kubernetes.io/managed-by": "streamproof"}

const fleetSelector = "app.kubernetes.io/managed-by=streamproof,app.kubernetes.io/component=load-worker"

func jobName() string {
	b := make([]byte, 4)
	rand.Read(b) // it never fails
	return "streamproof-" + hex.EncodeToString(b)
}

// manifest is the Job. A worker that fails, or is evicted, is not started again: it would
// send other streams than those that were lost. The Job has no deadline, since a load may
// last for days: its pods end with their connections.
func (f *Fleet) manifest(name, image, parent string) map[string]any {
	memory := cmp.Or(f.job.Memory, fleetMemory)
	size := map[string]any{"requests": map[string]any{"cpu": cmp.Or(f.job.CPU, fleetCPU), "memory": memory},
		"limits": map[string]any{"memory": memory}}
	pod := map[string]any{
		"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
		"terminationGracePeriodSeconds": 5,
		"containers": []any{map[string]any{"name": workerContainer, "image": image,
			"args": []any{"worker", "--listen", "127.0.0.1:" + strconv.Itoa(workerPort),
				"--wait", (f.startLimit() + parentMargin).String()},
			"resources": size,
			"securityContext": map[string]any{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
				"runAsNonRoot": true, "runAsUser": nobody, "capabilities": map[string]any{"drop": []any{"ALL"}},
				"seccompProfile": map[string]any{"type": "RuntimeDefault"}}}},
	}
	if len(f.job.NodeSelector) > 0 {
		pod["nodeSelector"] = f.job.NodeSelector
	}
	return map[string]any{"apiVersion": "batch/v1", "kind": "Job",
		"metadata": map[string]any{"name": name, "namespace": f.client.namespace, "labels": fleetLabels,
			"annotations": map[string]string{parentNote: parent}},
		"spec": map[string]any{"completionMode": "Indexed", "completions": f.job.Workers, "parallelism": f.job.Workers,
			"backoffLimitPerIndex": 0, "ttlSecondsAfterFinished": afterwards,
			"podFailurePolicy": map[string]any{"rules": []any{map[string]any{"action": "FailIndex",
				"onPodConditions": []any{map[string]any{"type": "DisruptionTarget", "status": "True"}}}}},
			"template": map[string]any{"metadata": map[string]any{"labels": fleetLabels}, "spec": pod}}}
}

// role is the least that may start a fleet.
func (f *Fleet) role() map[string]any {
	type resource struct{ group, name string }
	var order []resource
	verbs := map[resource][]string{}
	for _, r := range fleetRights {
		x := resource{r.group, strings.TrimSuffix(r.resource+"/"+r.sub, "/")}
		if verbs[x] == nil {
			order = append(order, x)
		}
		verbs[x] = append(verbs[x], r.verb)
	}
	var rules []any
	for _, x := range order {
		rules = append(rules, map[string]any{"apiGroups": []string{x.group}, "resources": []string{x.name},
			"verbs": verbs[x]})
	}
	return map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
		"metadata": map[string]any{"name": "streamproof-fleet", "namespace": f.client.namespace}, "rules": rules}
}

// Manifests implements [harness.LoadFleet].
func (f *Fleet) Manifests() (string, error) {
	if f.err != nil {
		return "", f.err
	}
	image, err := f.image()
	if err != nil {
		return "", err
	}
	var all []string
	for _, o := range []map[string]any{f.role(), f.manifest(jobName(), image, host())} {
		text, err := yaml.Marshal(o)
		if err != nil {
			return "", fmt.Errorf("write manifest: %w", err)
		}
		all = append(all, string(text))
	}
	return strings.Join(all, "---\n"), nil
}

var release = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)

// image is that of the workers: that of our own release, unless the user names one. Only
// the same program agrees with us on what a load is.
func (f *Fleet) image() (string, error) {
	if f.job.Image != "" {
		return f.job.Image, nil
	}
	if info, ok := debug.ReadBuildInfo(); ok && release.MatchString(info.Main.Version) {
		return "ghcr.io/streamproof/streamproof:" + strings.TrimPrefix(info.Main.Version, "v"), nil
	}
	return "", &harness.UsageError{Place: f.client.place + ".image", Problem: "this program is no release, " +
		"and has no published image", Fix: "set " + f.client.place + ".image to an image of exactly this build, as " +
		"'docker/build.sh streamproof' makes it"}
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// orphan reports whether the process that a Job belongs to has ended on this host. A
// Job with pods that still serve is somebody's.
func orphan(job *object) bool {
	return job.Status.Ready == 0 && ended(job.Metadata.Annotations[parentNote])
}

// ended reports whether the process that a note names, as a host and a folder, has ended on
// this host. Of another host nothing is known.
func ended(parent string) bool {
	name, folder, ok := strings.Cut(parent, " ")
	if !ok || name != host() {
		return false
	}
	_, err := os.Stat(folder)
	return errors.Is(err, fs.ErrNotExist)
}

// sweep deletes the Jobs of fleets whose pods have ended or whose parent has: they were
// left by runs that were killed.
func (f *Fleet) sweep(ctx context.Context) error {
	jobs, err := f.client.objects(ctx, f.client.in("batch/v1", "jobs"), url.Values{"labelSelector": {fleetSelector}})
	if err != nil {
		return err
	}
	for i := range jobs {
		j := &jobs[i]
		if !j.Status.is("Complete") && !j.Status.is("Failed") && !orphan(j) {
			continue
		}
		if err := f.delete(ctx, j.Metadata.Name); err != nil {
			return err
		}
	}
	return nil
}

// delete deletes a Job and its pods.
func (f *Fleet) delete(ctx context.Context, name string) error {
	err := f.client.ask(ctx, http.MethodDelete, f.client.in("batch/v1", "jobs", name), "application/json",
		map[string]string{"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}, nil)
	if err != nil && !refused(err, http.StatusNotFound) {
		return fmt.Errorf("delete Job %s in namespace %s: %w", name, f.client.namespace, err)
	}
	return nil
}
