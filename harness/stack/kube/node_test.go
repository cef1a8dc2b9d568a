package kube

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
)

// nodesOf lists the nodes of the pods, and those that take none.
func (f *fake) nodesOf() (pods, closed []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.pods {
		pods = append(pods, p["spec"].(map[string]any)["nodeName"].(string))
	}
	for name, takes := range f.nodes {
		if !takes {
			closed = append(closed, name)
		}
	}
	return pods, closed
}

// All pods of the app leave a node that is drained, as soon as budgets let them, and it
// takes pods again after that, or at the end of the run.
func TestDrainNode(t *testing.T) {
	for name, freed := range map[string]bool{"freed": true, "freed by the end": false} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, hello)
			s, _, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.answers["eviction"] = http.StatusTooManyRequests
			f.mu.Unlock()
			time.AfterFunc(budgetRest/2, func() {
				f.mu.Lock()
				delete(f.answers, "eviction")
				f.mu.Unlock()
			})
			told := make(chan string, 9)
			if err := s.DrainNode(t.Context(), s.Replicas()[0].Name, func(replica string) { told <- replica }); err != nil {
				t.Fatal(err)
			}
			pods, closed := f.nodesOf()
			if !slices.Equal(pods, []string{"node-b", "node-b"}) || !slices.Equal(closed, []string{"node-a"}) || len(told) != 2 {
				t.Errorf("pods on %v, closed are %v, %d were told to go", pods, closed, len(told))
			}
			if !strings.HasPrefix(f.notes[cordoned], "node-a "+host()+" /") {
				t.Errorf("annotations %v", f.notes)
			}
			if freed {
				if err := s.FreeNode(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, closed := f.nodesOf(); len(closed) > 0 || len(f.notes) > 0 {
				t.Errorf("left: closed %v, annotations %v", closed, f.notes)
			}
		})
	}
}

// A node whose pods could go nowhere, that somebody else drains, or that we may not touch
// stays as it is.
func TestNodeIsNotDrained(t *testing.T) {
	for why, change := range map[string]func(f *fake){
		"no other node takes pods": func(f *fake) { delete(f.nodes, "node-b") },
		"takes no pods already":    func(f *fake) { f.nodes["node-a"] = false },
		"may not list nodes":       func(f *fake) { f.answers["GET /api/v1/nodes"] = http.StatusForbidden },
		"may not patch nodes":      func(f *fake) { f.answers["PATCH /api/v1/nodes"] = http.StatusForbidden },
	} {
		t.Run(why, func(t *testing.T) {
			f := newFake(t, hello)
			s, _, err := open(t, stack.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			change(f)
			f.mu.Unlock()
			err = s.DrainNode(t.Context(), s.Replicas()[0].Name, func(string) { t.Error("a pod was told to go") })
			var unable *stack.Unable
			if !errors.As(err, &unable) || !strings.Contains(unable.Why, why) {
				t.Errorf("got %v", err)
			}
			if pods, _ := f.nodesOf(); !slices.Equal(pods, []string{"node-a", "node-a"}) {
				t.Errorf("pods on %v", pods)
			}
		})
	}
}

// A node that a killed run has drained is given back by the next run of the app, and one of
// a run that lives is left alone.
func TestDrainedNodeIsGivenBack(t *testing.T) {
	f := newFake(t, hello)
	f.mu.Lock()
	f.nodes["node-b"] = false
	f.notes[cordoned] = "node-b " + host() + " /gone"
	f.mu.Unlock()
	if _, _, err := open(t, stack.Spec{}); err != nil {
		t.Fatal(err)
	}
	if _, closed := f.nodesOf(); len(closed) > 0 || len(f.notes) > 0 {
		t.Errorf("left: closed %v, annotations %v", closed, f.notes)
	}
	f.mu.Lock()
	f.notes[cordoned] = "node-b " + host() + " " + t.TempDir()
	f.mu.Unlock()
	var usage *harness.UsageError
	if err := New(chat).(stack.Checker).Check(context.Background(), stack.App{}); !errors.As(err, &usage) ||
		!strings.Contains(usage.Fix, "kubectl uncordon node-b") {
		t.Errorf("got %v", err)
	}
}
