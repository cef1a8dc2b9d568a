package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/fleet"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
)

// muster starts the load workers, where the user asks for several, or for some elsewhere.
func (r *run) muster(ctx context.Context) error {
	if r.LoadWorkers <= 1 && !r.Away() {
		return nil
	}
	secure, err := pems(r.App.TLS)
	if err != nil {
		return err
	}
	start := r.spawn
	if r.Away() {
		start = r.LoadFleet.Start
	}
	workers, err := start(ctx)
	if err != nil || workers == nil {
		return r.unlessLeft(err)
	}
	members := make([]fleet.Member, len(workers))
	for i, w := range workers {
		members[i] = fleet.Member{Conn: w.Conn, Pid: w.Pid, Words: w.Words}
	}
	r.fleet = fleet.Muster(ctx, fleet.Options{Version: fleet.Version(), Seed: r.Seed, TLS: secure, Now: r.now,
		Traced: r.traced, Begin: r.begin, Done: r.done, Elsewhere: r.Away()}, members)
	r.machine.also(r.fleet.Pids())
	return nil
}

// spawn starts load workers on this machine.
func (r *run) spawn(context.Context) (workers []harness.LoadWorker, err error) {
	for range r.LoadWorkers {
		w, err := r.StartLoadWorker()
		if err != nil {
			for _, w := range workers {
				err = errors.Join(err, w.Conn.Close())
			}
			return nil, err
		}
		workers = append(workers, w)
	}
	return workers, nil
}

// dismissLimit bounds how long it may take to take a fleet away.
const dismissLimit = 30 * time.Second

// dismiss ends the load workers and waits for them.
func (r *run) dismiss() error {
	if r.fleet == nil {
		return nil
	}
	err := r.fleet.Close()
	if !r.Away() {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dismissLimit)
	defer cancel()
	return errors.Join(err, r.unlessLeft(r.LoadFleet.Close(ctx)))
}

// unlessLeft is an error without what a fleet has left behind, of which the user is
// warned: it takes nothing from the verdict. Where nobody is warned it stays an error.
func (r *run) unlessLeft(err error) error {
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		var rest []error
		for _, err := range x.Unwrap() {
			rest = append(rest, r.unlessLeft(err))
		}
		return errors.Join(rest...)
	case *harness.PodsLeft:
		if r.Warn == nil {
			return err
		}
		left := record.Fact{Kind: verdict.FactPodsLeft, N: x.N}
		if x.Err != nil {
			left.Text = r.Secrets.Hide(x.Err.Error())
		}
		r.Warn("fleet", verdict.Warning{Layer: "Kubernetes", Setting: "Job " + x.Job, Fact: &left,
			Mend: &record.Fact{Kind: verdict.NextPodsLeft, Name: x.Job, Place: x.Namespace, Text: x.Context}})
		return nil
	}
	return err
}

// sendable says why load workers elsewhere cannot send a scenario's streams: these enter at
// something of ours on this machine, or have to say which replica they are on. Nil where
// they can.
func (s *sender) sendable() error {
	why := ""
	switch {
	case !s.Away() || s.App.Foreign(s.front):
	case s.front.Inside == "":
		why = "the streams of this scenario go through a link on this machine, which the pods cannot reach"
	case byReplica(&s.sc):
		why = "this scenario is judged by which pod served each stream, and those that send to a Service do not see that"
	}
	if why == "" {
		return nil
	}
	return &stack.Unable{What: "send this load from a fleet", Why: why, Settle: "run this scenario without --fleet"}
}

// byReplica reports whether a scenario tells streams apart by the replica that served them:
// those of one that is killed may be cut, and no others; one that is added has to serve.
func byReplica(sc *harness.Scenario) bool {
	if sc.Policy.Kills || sc.When.Replica != "" {
		return true
	}
	return sc.Fault != nil && slices.ContainsFunc(fault.Parts(sc.Fault), func(p fault.Part) bool {
		_, adds := p.Fault.(fault.ScaleOut)
		return adds || p.When.Replica != ""
	})
}

// pems are the files of TLS settings, read; nil for none.
func pems(t harness.TLS) (*fleet.TLS, error) {
	if t == (harness.TLS{}) {
		return nil, nil
	}
	p := &fleet.TLS{Insecure: t.Insecure, ServerName: t.ServerName}
	if t.Cert != "" && t.Key == "" {
		t.Key = t.Cert // both in one file, as curl takes it
	}
	for _, x := range []struct {
		path string
		to   *[]byte
	}{{t.CACert, &p.CA}, {t.Cert, &p.Cert}, {t.Key, &p.Key}} {
		if x.path == "" {
			continue
		}
		text, err := os.ReadFile(x.path)
		if err != nil {
			return nil, fmt.Errorf("read TLS settings: %w", err)
		}
		*x.to = text
	}
	return p, nil
}

// share sends a wave of the load by deal: from this process, or in shares by the load
// workers. bound is how far the times of two of its streams may be off from each other,
// and from those of a fault. bodies are what its streams send, nil where that is the same
// for all.
func (s *sender) share(ctx context.Context, w load.Wave, deal *load.Deal, bodies *load.Requests) (
	done record.Wave, bound time.Duration, err error,
) {
	if s.fleet == nil {
		w.Assign = deal.Target
		done, err = load.Drive(ctx, s.tap, w)
		return done, 0, err
	}
	if s.Away() {
		s.fromInside(deal)
	}
	data, err := fleet.DataOf(w, *deal, bodies, s.sc.Policy, s.Reach())
	if err != nil {
		return done, 0, err
	}
	done, came, err := s.fleet.Drive(ctx, data)
	if w.Total == 1 {
		came = atWork(came)
	}
	for _, x := range came {
		x.Why, x.Theirs = s.Secrets.Hide(x.Why), s.Secrets.Hide(x.Theirs)
		s.rec.LoadWorker(x)
		off, _ := x.ClockBound()
		bound = max(bound, off)
	}
	return done, bound, err
}

// atWork are the workers that sent the one stream of a wave: how the others stood says
// nothing about it. Where none did, all are told.
func atWork(came []record.LoadWorker) []record.LoadWorker {
	idle := func(x record.LoadWorker) bool { return x.Started == 0 }
	if busy := slices.DeleteFunc(slices.Clone(came), idle); len(busy) > 0 {
		return busy
	}
	return came
}

// fromInside has the streams of a deal go to where pods beside the app find it, past the
// way that leads there from this machine.
func (s *sender) fromInside(deal *load.Deal) {
	hops := s.hops()
	for g, t := range deal.Targets {
		i := slices.IndexFunc(hops, func(h stack.Hop) bool { return h.Name == t.Hop && h.Inside != "" })
		if i >= 0 {
			t.URL, t.Dial = hops[i].Inside+strings.TrimPrefix(t.URL, hops[i].URL), hops[i].DialInside
			deal.Targets[g] = t
		}
	}
}

// changes are the streams of the main wave as they change, whoever sends them.
func (r *run) changes(asks tap.Interest) (v vigil, stop func()) {
	if r.fleet != nil {
		w := r.fleet.Watch(asks)
		return vigil{bell: w.C, changed: w.Changed, all: r.fleet.Live}, w.Stop
	}
	w := r.tap.Watch(asks)
	return vigil{bell: w.C, changed: w.Changed, all: r.tap.Live}, w.Stop
}

// flying yields the streams of the main wave in flight, in no order.
func (r *run) flying(yield func(tap.Live) bool) {
	if r.fleet != nil {
		r.fleet.Live(yield)
		return
	}
	r.tap.Live(yield)
}

// inBodyWhen counts the victims that were in their body at a time, whatever the clocks
// of who sent them: those of which it is sure within bound.
func (f *injection) inBodyWhen(at, bound time.Duration) (n int, err error) {
	for st := range f.recorded(&err, record.Victim) {
		if st.Headers != record.Never && st.Headers <= at-bound && st.End >= at+bound {
			n++
		}
	}
	return n, err
}
