package kube

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// An around is what stands around a workload and has a say in how its streams end, as it was
// when the run began. None of it is in the way of the run's own streams.
type around struct {
	ingresses []stack.Layer
	scalers   map[string]bool   // names of the HorizontalPodAutoscalers of the workload
	settings  map[string]string // of scalers and budgets, and what could not be read
}

// look reads what stands around a workload, as far as the login may.
func (a *around) look(ctx context.Context, c *client, app *stack.Kubernetes, work *object) {
	a.scalers, a.settings = map[string]bool{}, map[string]string{}
	read := func(version, resource string, take func(*object)) {
		all, err := c.objects(ctx, c.in(version, resource), nil)
		switch {
		case refused(err, http.StatusForbidden):
			a.settings[resource] = "not read: the login may not list them"
		case refused(err, http.StatusNotFound): // an API that this cluster does not have
		case err != nil && !errors.Is(err, context.Canceled):
			a.settings[resource] = "not read: " + harness.Reason(err)
		}
		for i := range all {
			take(&all[i])
		}
	}
	kind, name := app.Workload()
	read("autoscaling/v2", "horizontalpodautoscalers", func(o *object) {
		to := o.Spec.ScaleTargetRef
		if strings.EqualFold(to.Kind, kind) && to.Name == name {
			a.scalers[o.Metadata.Name] = true
			a.settings["horizontalpodautoscaler "+o.Metadata.Name] = strconv.Itoa(max(o.Spec.MinReplicas, 1)) + " to " +
				strconv.Itoa(o.Spec.MaxReplicas) + " replicas"
		}
	})
	read("policy/v1", "poddisruptionbudgets", func(o *object) {
		if o.Spec.Selector.matches(work.Spec.Template.Metadata.Labels) {
			a.settings["poddisruptionbudget "+o.Metadata.Name] = o.Spec.budget() + ", allows " +
				strconv.Itoa(o.Status.DisruptionsAllowed) + " now"
		}
	})
	read("networking.k8s.io/v1", "ingresses", func(o *object) {
		if o.Spec.leadsTo(app.Service) {
			a.ingresses = append(a.ingresses, stack.Layer{Name: record.IngressLayer + o.Metadata.Name, Settings: o.ingress()})
		}
	})
}

// budget is what a PodDisruptionBudget asks for: a number or a share.
func (s *spec) budget() string {
	if len(s.MaxUnavailable) > 0 {
		return "maxUnavailable " + strings.Trim(string(s.MaxUnavailable), `"`)
	}
	return "minAvailable " + strings.Trim(string(s.MinAvailable), `"`)
}

// leadsTo reports whether an ingress sends anything to a Service.
func (s *spec) leadsTo(service string) bool {
	if s.DefaultBackend.Service.Name == service {
		return true
	}
	for _, r := range s.Rules {
		for _, p := range r.HTTP.Paths {
			if p.Backend.Service.Name == service {
				return true
			}
		}
	}
	return false
}

// matches reports whether a selector that is not empty selects labels.
func (s *selector) matches(labels map[string]string) bool {
	for k, v := range s.MatchLabels {
		if labels[k] != v {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		value, is := labels[e.Key]
		switch in := slices.Contains(e.Values, value); e.Operator {
		case "In":
			is = is && in
		case "NotIn":
			is = !is || !in
		case "DoesNotExist":
			is = !is
		}
		if !is {
			return false
		}
	}
	return len(s.MatchLabels)+len(s.MatchExpressions) > 0
}

// streamSettings are the annotations by which ingress controllers time or hold back
// streams, by the ends of their names, and what is true where nobody sets them.
//
//	kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations
//	haproxy-ingress.github.io/docs/configuration/keys, haproxy.com/documentation/kubernetes-ingress
//	kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations
var streamSettings = []struct{ annotation, setting, otherwise, class string }{
	{"nginx.ingress.kubernetes.io/proxy-read-timeout", "proxy-read-timeout", "60", "nginx"},
	{"nginx.ingress.kubernetes.io/proxy-buffering", "proxy-buffering", "", "nginx"},
	{"haproxy-ingress.github.io/timeout-server", "timeout-server", "50s", "haproxy"},
	{"haproxy.org/timeout-server", "timeout-server", "50s", "haproxy"},
	{"alb.ingress.kubernetes.io/load-balancer-attributes", "load-balancer-attributes", "", "alb"},
}

// ingress are the settings of an ingress that concern streams. Those that nobody sets are
// marked: the controller may have others for all of its ingresses.
func (o *object) ingress() map[string]string {
	class := o.Spec.IngressClassName
	if class == "" {
		class = o.Metadata.Annotations["kubernetes.io/ingress.class"]
	}
	set := map[string]string{}
	if class != "" {
		set["class"] = class
	}
	for _, s := range streamSettings {
		value, ok := o.Metadata.Annotations[s.annotation]
		switch {
		case ok && s.setting == "load-balancer-attributes":
			for attribute := range strings.SplitSeq(value, ",") {
				if k, v, both := strings.Cut(attribute, "="); both && k == "idle_timeout.timeout_seconds" {
					set[k] = v
				}
			}
		case ok:
			set[s.setting] = value
		}
	}
	for _, s := range streamSettings {
		if s.otherwise != "" && strings.Contains(class, s.class) && set[s.setting] == "" {
			set[s.setting+record.ByDefault] = s.otherwise
		}
	}
	return set
}
