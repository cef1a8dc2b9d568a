package logline

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// A KubePod is a pod as its object tells of it.
type KubePod struct {
	Namespace, Name string
	Workload        string // the Deployment, StatefulSet, DaemonSet or Job that it is of
	Addr            string // its IP address, "" where it has none
	Containers      []string
}

// addPods adds the pods among the objects, each once, as it was told last.
func (o *kubeObject) addPods(pods []KubePod) []KubePod {
	if o.Object != nil {
		return o.Object.addPods(pods)
	}
	for i := range o.Items {
		pods = o.Items[i].addPods(pods)
	}
	if o.Kind != "Pod" {
		return pods
	}
	p := KubePod{Namespace: o.Metadata.Namespace, Name: o.Metadata.Name, Workload: o.workload(), Addr: o.Status.PodIP}
	for _, c := range o.Status.ContainerStatuses {
		p.Containers = append(p.Containers, c.Name)
	}
	i := slices.IndexFunc(pods, func(q KubePod) bool { return q.Namespace == p.Namespace && q.Name == p.Name })
	if i < 0 {
		return append(pods, p)
	}
	pods[i] = p
	return pods
}

// workload is what a pod is of, by its owner; a ReplicaSet is one of a Deployment's.
func (o *kubeObject) workload() string {
	for _, owner := range o.Metadata.OwnerReferences {
		switch owner.Kind {
		case "ReplicaSet":
			if hash := o.Metadata.Labels["pod-template-hash"]; hash != "" {
				return strings.TrimSuffix(owner.Name, "-"+hash)
			}
			return templateHash.ReplaceAllString(owner.Name, "")
		case "Job":
			return jobTime.ReplaceAllString(owner.Name, "")
		case "StatefulSet", "DaemonSet":
			return owner.Name
		}
	}
	return WorkloadOf(o.Metadata.Name)
}

// Controllers name pods by these letters and digits, which make no words
// (k8s.io/apimachinery, util/rand).
const safe = `[bcdfghjklmnpqrstvwxz2456789]`

var (
	templateHash = regexp.MustCompile(`-` + safe + `{6,10}$`)
	podSuffix    = regexp.MustCompile(`-` + safe + `{5}$`)
	jobTime      = regexp.MustCompile(`-\d{8,10}$`) // of a CronJob
	ordinal      = regexp.MustCompile(`-\d{1,4}$`)
	ofDeployment = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-` + safe + `{6,10}-` + safe + `{5}$`)
)

// WorkloadOf is the name of the Deployment, StatefulSet, DaemonSet or Job of a pod, by the
// form of the pod's name; the whole name where it has no such form.
func WorkloadOf(pod string) string {
	if podSuffix.MatchString(pod) {
		return jobTime.ReplaceAllString(templateHash.ReplaceAllString(podSuffix.ReplaceAllString(pod, ""), ""), "")
	}
	return ordinal.ReplaceAllString(pod, "")
}

// IsPod reports whether a name has the form of a Deployment's pods.
func IsPod(name string) bool { return ofDeployment.MatchString(name) }

// What collectors of logs write before a line, or into it, of the pod that wrote it.
var (
	kubectlPrefix = regexp.MustCompile(`^\[pod/([^/\]\s]+)/([^/\]\s]+)\] `) // kubectl logs --prefix
	sternPrefix   = regexp.MustCompile(`^(\S+) (?:› )?([a-z0-9](?:[a-z0-9-]*[a-z0-9])?) `)
	syslogPrefix  = regexp.MustCompile(`^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\S+) \S+: `)
)

// podFields are the names under which loggers write it, the surer first. A host is any
// machine's, unless its name has the form of a pod's.
var podFields = []struct {
	name string
	host bool
}{
	{"pod", false}, {"pod_name", false}, {"podName", false}, {"POD_NAME", false}, {"k8s.pod.name", false},
	{"hostname", true}, {"host", true}, {"HOSTNAME", true}, {"host.name", true},
}

// PodIn is the pod that wrote a line, and its container, as far as the line says: kubectl
// and stern put them before it, loggers write their host into it. "" where it does not. A
// pod that the line only speaks of did not write it.
func PodIn(line string) (pod, container string) {
	if m := kubectlPrefix.FindStringSubmatch(line); m != nil {
		return m[1], m[2]
	}
	if m := sternPrefix.FindStringSubmatch(line); m != nil && ofDeployment.MatchString(m[1]) {
		return m[1], m[2]
	}
	if m := syslogPrefix.FindStringSubmatch(line); m != nil && ofDeployment.MatchString(m[1]) {
		return m[1], ""
	}
	return podOfFields(line), ""
}

// podOfFields is the pod by the fields of a line in JSON.
func podOfFields(line string) string {
	if !strings.HasPrefix(line, "{") || !hostOrPod.MatchString(line) {
		return ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(line), &fields) != nil {
		return ""
	}
	for _, f := range podFields {
		var name string
		if json.Unmarshal(fields[f.name], &name) != nil || name == "" || f.host && !ofDeployment.MatchString(name) {
			continue
		}
		return name
	}
	return ""
}

// hostOrPod finds lines that may have one of the fields, which is cheaper than to read them.
var hostOrPod = regexp.MustCompile(`"(?:pod|POD|k8s\.pod|host|HOST)`)
