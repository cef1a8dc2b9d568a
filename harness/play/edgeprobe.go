package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/probe"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// probeLimit bounds an edge probe with the start and the end of its edge.
const probeLimit = 20 * time.Second

// probed remembers what edges did, for the life of the process: a program and a
// form of configuration answer alike however often they are asked. A go test of
// many scenarios pays once.
var probed edgeProbes

// edgeProbes are the answers of edges by their key. The zero value has none. One
// that is being asked holds up those who want the same answer, and nobody else.
type edgeProbes struct {
	mu sync.Mutex // guards by
	by map[string]*edgeAnswer
}

// An edgeAnswer belongs to whoever has put something into turn.
type edgeAnswer struct {
	turn  chan struct{} // of length 1
	known bool
	found record.EdgeProbe
}

// answer is what is known under a key, or what ask finds. A failure is not
// remembered.
func (e *edgeProbes) answer(ctx context.Context, key string,
	ask func(context.Context) (record.EdgeProbe, error)) (record.EdgeProbe, error) {
	a := e.under(key)
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return record.EdgeProbe{}, ctx.Err()
	}
	if a.known {
		return a.found, nil
	}
	found, err := ask(ctx)
	if err == nil {
		a.known, a.found = true, found
	}
	return found, err
}

func (e *edgeProbes) under(key string) *edgeAnswer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by = map[string]*edgeAnswer{}
	}
	if e.by[key] == nil {
		e.by[key] = &edgeAnswer{turn: make(chan struct{}, 1)}
	}
	return e.by[key]
}

// probeEdge asks the scenario's edge what it does to cut streams, before any
// load, and records it. It is no part of the trial: where it cannot be had the
// scenario goes on, and the record says so.
func (p *player) probeEdge(ctx context.Context) error {
	t, able := p.stack.(stack.Twinner)
	if !able || p.sc.Edge.Form == stack.EdgeNone && p.sc.Edge.NginxConf == "" {
		return nil
	}
	p.phase(record.StepEdge, "probing the edge")
	found, err := p.askEdge(ctx, t)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		p.note(p.sc.ID, record.NoteFact, "the edge was not probed: "+err.Error(), "")
		return nil
	}
	found.Scenario, found.Trials = p.sc.ID, slices.Clone(found.Trials)
	for i := range found.Trials {
		found.Trials[i].Why = p.Secrets.Hide(found.Trials[i].Why)
	}
	p.rec.Edge(found)
	return nil
}

// askEdge finds what is known about the edge, or probes a twin of it.
func (p *player) askEdge(ctx context.Context, t stack.Twinner) (record.EdgeProbe, error) {
	key, err := p.edgeKey()
	if err != nil {
		return record.EdgeProbe{}, err
	}
	return probed.answer(ctx, key, func(ctx context.Context) (record.EdgeProbe, error) {
		ctx, cancel := context.WithTimeout(ctx, probeLimit)
		defer cancel()
		return p.probeTwin(ctx, t)
	})
}

func (p *player) probeTwin(ctx context.Context, t stack.Twinner) (found record.EdgeProbe, err error) {
	twin, err := t.Twin(ctx)
	if err != nil {
		return found, err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		defer cancel()
		err = errors.Join(err, twin.Close(ending))
	}()
	return probe.Edge(ctx, twin.URL+p.Place(p.sc), twin.What)
}

// edgeKey names what an answer of the edge depends on: the program, and the form
// of its configuration or the user's own, which may change from run to run.
func (p *player) edgeKey() (string, error) {
	v := p.stack.Versions()
	key := fmt.Sprintf("%s, nginx %s, edge %s, form %s", p.Opener.Kind(), v["nginx"], v["edge"], p.sc.Edge.Form)
	if p.sc.Edge.NginxConf == "" {
		return key, nil
	}
	text, err := os.ReadFile(p.sc.Edge.NginxConf)
	return fmt.Sprintf("%s, path %s, configuration %s", key, p.Place(p.sc), text), err
}
