package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// cordoned is the annotation of the workload that says which node takes no pods because of
// us, and whose doing that is: "node host /folder".
const cordoned = "streamproof.io/cordoned"

// A cordon is what that annotation says.
type cordon struct{ node, parent string }

func cordonOf(work *object) (c cordon, ok bool) {
	c.node, c.parent, ok = strings.Cut(work.Metadata.Annotations[cordoned], " ")
	return c, ok
}

func nodePath(name string) string { return "api/v1/nodes/" + url.PathEscape(name) }

// DrainNode implements [stack.NodeDrainer]. Pods of others stay where they are: what becomes
// of those is nobody's to try. A budget that forbids an eviction is waited for, as kubectl
// drain does it.
func (s *Stack) DrainNode(ctx context.Context, replica string, going func(replica string)) error {
	p, err := s.pods.find(replica)
	if err != nil {
		return err
	}
	node := p.Spec.NodeName
	if err := s.mayDrain(ctx, node); err != nil {
		return err
	}
	if err := s.cordon(ctx, node); err != nil {
		return err
	}
	limit := s.spec.App.Start + s.grace() + beyond
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex // guards errs
	var errs []error
	for _, p := range s.pods.living() {
		if p.Spec.NodeName != node {
			continue
		}
		all.Go(func() {
			going(p.replica)
			if err := s.leave(bounded, &p); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// budgetRest is how long to wait where a budget forbids an eviction.
const budgetRest = 500 * time.Millisecond

// leave evicts a pod as soon as budgets allow, and waits until it has gone.
func (s *Stack) leave(ctx context.Context, p *pod) error {
	for {
		err := s.evict(ctx, p, deletion(p))
		if !refused(err, http.StatusTooManyRequests) {
			if err != nil {
				return s.evicted(p, err)
			}
			return s.awaitLeft(ctx, p, graceOf(&p.Spec.podSpec)+beyond)
		}
		select {
		case <-ctx.Done():
			return s.evicted(p, err)
		case <-s.broken:
			return s.cause()
		case <-time.After(budgetRest):
		}
	}
}

// mayDrain says why a node must not be drained: somebody else does, or the pods that have to
// leave could not go anywhere.
func (s *Stack) mayDrain(ctx context.Context, node string) error {
	what := "drain node " + node
	nodes, err := s.client.objects(ctx, "api/v1/nodes", nil)
	if err != nil {
		return s.onNodes(what, "list", err)
	}
	free := func(o object) bool {
		return o.Metadata.Name != node && !o.Spec.Unschedulable && o.Status.is("Ready")
	}
	taken := func(o object) bool { return o.Metadata.Name == node && o.Spec.Unschedulable }
	switch {
	case slices.ContainsFunc(nodes, taken):
		return &stack.Unable{What: what, Why: "it takes no pods already: somebody else drains it",
			Settle: "wait for that to end, or say kubectl uncordon " + node}
	case !slices.ContainsFunc(nodes, free):
		return &stack.Unable{What: what, Why: "no other node takes pods, so that those of the app could go nowhere",
			Settle: "add a node to the cluster"}
	}
	return nil
}

// onNodes is [Stack.failed] for what belongs to no namespace.
func (s *Stack) onNodes(what, verb string, err error) error {
	if refused(err, http.StatusForbidden) && s.cause() == nil {
		return &stack.Unable{What: what, Why: "the login of the kubeconfig may not " + verb + " nodes",
			Settle: "grant that by a ClusterRole"}
	}
	return s.failed(what, verb+" nodes", err)
}

// cordon has a node take no pods. The workload says so before it is so, and until it is no
// more: whoever tests it next gives the node back where we could not.
func (s *Stack) cordon(ctx context.Context, node string) error {
	parent, err := s.parent()
	if err != nil {
		return err
	}
	if err := s.mark(ctx, node+" "+parent); err != nil {
		return err
	}
	s.cordoned = node
	_, err = s.client.patch(ctx, nodePath(node), map[string]any{"spec": map[string]any{"unschedulable": true}})
	return s.onNodes("drain node "+node, "patch", err)
}

// mark writes the annotation of the workload; nil takes it away.
func (s *Stack) mark(ctx context.Context, text any) error {
	_, err := s.client.patch(ctx, s.path, map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{cordoned: text}}})
	kind, _ := s.app.Workload()
	return s.failed("say on the "+kind+" which node is drained", "patch "+s.kind()+".apps", err)
}

// uncordon gives a node back. One that has gone needs no more.
func (s *Stack) uncordon(ctx context.Context, node string) error {
	_, err := s.client.patch(ctx, nodePath(node), map[string]any{"spec": map[string]any{"unschedulable": nil}})
	if err != nil && !refused(err, http.StatusNotFound) {
		return s.onNodes("give back node "+node, "patch", err)
	}
	if err := s.mark(ctx, nil); err != nil {
		return err
	}
	s.cordoned = ""
	return nil
}

// FreeNode implements [stack.NodeDrainer].
func (s *Stack) FreeNode(ctx context.Context) error {
	if s.cordoned == "" {
		return nil
	}
	if err := s.uncordon(ctx, s.cordoned); err != nil {
		return err
	}
	return s.awaitUp(ctx, fmt.Sprintf("have %d pods again", s.want()), s.want())
}
