package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/cutter"
	"github.com/streamproof/streamproof/harness/probe"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// probeLimit bounds an edge probe with the start and the end of its edge.
const probeLimit = 20 * time.Second

// probed remembers what edges did, for the life of the process: a program and a
// form of configuration answer alike however often they are asked. A go test of
// many scenarios pays once.
var probed = struct {
	sync.Mutex
	by map[string]record.EdgeProbe
}{by: map[string]record.EdgeProbe{}}

// probeEdge asks the scenario's edge what it does to cut streams, before any
// load, and records it. It is no part of the trial: where it cannot be had the
// scenario goes on, and the record says so.
func (p *player) probeEdge(ctx context.Context) error {
	t, able := p.stack.(stack.Twinner)
	if !able || p.sc.Edge.Form == stack.EdgeNone {
		return nil
	}
	p.phase("probing the edge")
	found, err := p.askEdge(ctx, t)
	var cannot *stack.Unable
	switch {
	case ctx.Err() != nil, errors.As(err, &cannot):
		return nil
	case err != nil:
		p.note(p.sc.ID, record.NoteFact, "the edge was not probed: "+err.Error(), "")
		return nil
	}
	text, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("record edge probe: %w", err)
	}
	p.note(p.sc.ID, record.NoteEdge, string(text), "")
	return nil
}

// askEdge finds what is known about the edge, or probes a twin of it. A user's
// own configuration may have changed since, and is always asked again.
func (p *player) askEdge(ctx context.Context, t stack.Twinner) (record.EdgeProbe, error) {
	probed.Lock()
	defer probed.Unlock()
	key := fmt.Sprint(p.Opener.Kind(), p.stack.Versions(), p.sc.Edge.Form)
	if known, ok := probed.by[key]; ok && p.sc.Edge.NginxConf == "" {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	found, err := probeTwin(ctx, t)
	if err == nil {
		probed.by[key] = found
	}
	return found, err
}

func probeTwin(ctx context.Context, t stack.Twinner) (found record.EdgeProbe, err error) {
	o, err := cutter.Listen("127.0.0.1:0")
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	twin, err := t.Twin(ctx, o.Addr())
	if err != nil {
		return found, err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		defer cancel()
		err = errors.Join(err, twin.Close(ending))
	}()
	return probe.Edge(ctx, twin.URL, twin.What)
}
