package kube

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Layers implements [stack.Stack]: what the pods' manifest says about their end, and what
// stands around the workload, as far as it concerns streams.
func (s *Stack) Layers() []stack.Layer {
	pod := &s.work.Spec.Template.Spec
	set := map[string]string{"terminationGracePeriodSeconds": s.grace().String(), "replicas": strconv.Itoa(s.want())}
	if c := pod.container(s.container); c != nil {
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
			text, takes := c.Lifecycle.PreStop.describe()
			set["preStop"] = text
			if takes > 0 {
				set["grace after preStop"] = max(s.grace()-takes, time.Second).String()
			}
		}
		for name, p := range map[string]*probe{"readinessProbe": c.ReadinessProbe, "livenessProbe": c.LivenessProbe} {
			if p != nil {
				set[name] = p.describe()
			}
		}
		for name, value := range c.Resources.Limits {
			set["limits."+name] = value
		}
	}
	if len(pod.Containers) > 1 { // the ends of the others are not the app's
		set["container"] = s.container
	}
	maps.Copy(set, s.around.settings)
	through := map[string]string{"through": "the API server at " + s.client.base.Host}
	return append([]stack.Layer{{Name: "kubernetes", Settings: set}, {Name: record.ForwardLayer, Settings: through}},
		s.around.ingresses...)
}

// describe says what a handler does, and how long it is known to take.
func (h *handler) describe() (string, time.Duration) {
	switch {
	case h.Sleep != nil:
		d := time.Duration(h.Sleep.Seconds) * time.Second
		return "sleep " + d.String(), d
	case h.HTTPGet != nil:
		return "GET " + h.HTTPGet.Path, 0
	case h.Exec != nil:
		line := strings.Join(h.Exec.Command, " ")
		words := strings.Fields(line)
		n := slices.Index(words, "sleep")
		if n >= 0 && n+1 < len(words) {
			if seconds, err := strconv.Atoi(words[n+1]); err == nil {
				return line, time.Duration(seconds) * time.Second
			}
		}
		return line, 0
	}
	return "", 0
}

// Defaults of probes, as Kubernetes has them.
const (
	defaultPeriod   = 10
	defaultFailures = 3
	defaultTimeout  = 1
)

// describe says when a probe gives up on a pod.
func (p *probe) describe() string {
	or := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	return fmt.Sprintf("every %d s, timeout %d s, fails after %d", or(p.PeriodSeconds, defaultPeriod),
		or(p.TimeoutSeconds, defaultTimeout), or(p.FailureThreshold, defaultFailures))
}

// memoryLimit is the container's, in bytes; 0 for none.
func (s *Stack) memoryLimit(pod *podSpec) int64 {
	c := pod.container(s.container)
	if c == nil {
		return 0
	}
	return bytesOf(c.Resources.Limits["memory"])
}

// bytesOf reads a quantity as Kubernetes writes it: 256Mi, 1G, 268435456; 0 for none.
func bytesOf(quantity string) int64 {
	digits := strings.TrimRight(quantity, "KMGTPEikm")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0
	}
	scale, ok := map[string]float64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1 << 10, "Mi": 1 << 20,
		"Gi": 1 << 30, "Ti": 1 << 40, "m": 1e-3}[quantity[len(digits):]]
	if !ok {
		return 0
	}
	return int64(n * scale)
}
