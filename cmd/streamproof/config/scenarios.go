package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Defined makes the scenarios that the file defines, in its order. catalogue is
// asked for those that they extend. The error is an *[Error].
func (f *File) Defined(catalogue []harness.Scenario) ([]harness.Scenario, error) {
	known := map[string]harness.Scenario{}
	var ids []string
	learn := func(sc harness.Scenario) {
		known[sc.ID] = sc
		ids = append(ids, sc.ID)
	}
	for _, sc := range catalogue {
		learn(sc)
	}
	var own []harness.Scenario
	for i := range f.Define {
		d, path := &f.Define[i], fmt.Sprintf("define[%d]", i)
		base, err := f.base(d, path, known, ids)
		if err != nil {
			return nil, err
		}
		sc, err := d.scenario(f, base)
		var m *misfit
		if errors.As(err, &m) {
			return nil, f.Locate(path+"."+m.path, m.problem, m.fix)
		}
		learn(sc)
		own = append(own, sc)
	}
	return own, nil
}

// Standard is the name of the standard suite where scenarios are named.
const Standard = "standard"

// All is the name of the whole catalogue, likewise.
const All = "all"

// scenarioID is what an ID may look like: it names folders and anchors.
var scenarioID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// base checks the name of d and finds what it extends.
func (f *File) base(d *Define, path string, known map[string]harness.Scenario, ids []string) (harness.Scenario, error) {
	switch _, taken := known[d.ID]; {
	case d.ID == "":
		return harness.Scenario{}, f.Locate(path, "a scenario without an id", "add id: my-scenario")
	case !scenarioID.MatchString(d.ID):
		return harness.Scenario{}, f.Locate(path+".id", fmt.Sprintf("id %q has other letters than a to z, digits and dashes", d.ID), "write it like slow-clients")
	case taken, d.ID == Standard, d.ID == All:
		return harness.Scenario{}, f.Locate(path+".id", fmt.Sprintf("there is a scenario %q already", d.ID), "choose another id; to begin with it, write extends: "+d.ID)
	case d.Extends == "":
		return harness.Scenario{Edge: stack.Edge{Form: stack.EdgeStreaming}}, nil
	}
	base, ok := known[d.Extends]
	if !ok {
		return base, f.Locate(path+".extends", fmt.Sprintf("unknown scenario %q", d.Extends), Suggest(d.Extends, ids))
	}
	return base, nil
}

// scenario puts d over the scenario that it extends.
func (d *Define) scenario(f *File, sc harness.Scenario) (harness.Scenario, error) {
	sc.ID, sc.Title, sc.Doc = d.ID, cmp.Or(d.Title, d.ID), cmp.Or(d.Doc, sc.Doc, d.Title, d.ID)
	sc.Edge = sc.Edge.With(f.edge(d.Edge))
	sc.Load = d.Load.options().Over(sc.Load)
	sc.Replicas, sc.Workers = max(sc.Replicas, int(d.Replicas)), max(sc.Workers, int(d.Workers))
	sc.Share = cmp.Or(float64(d.Share), sc.Share)
	sc.Shape = d.Shape.over(sc.Shape)
	sc.Client = d.Client.over(sc.Client)
	if err := d.trial(&sc); err != nil {
		return sc, err
	}
	d.judged(&sc)
	return sc, nil
}

// trial sets the fault and its timetable.
func (d *Define) trial(sc *harness.Scenario) (err error) {
	if !d.When.condition().IsZero() {
		sc.When = d.When.condition()
	}
	if !d.Until.condition().IsZero() {
		sc.Until = d.Until.condition()
	}
	sc.Hold = cmp.Or(time.Duration(d.Hold), sc.Hold)
	if d.Fault != nil {
		sc.Peel = false
		sc.Fault, err = d.Fault.build("fault", Duration(sc.Hold))
	}
	return err
}

// judged sets what the scenario is held to.
func (d *Define) judged(sc *harness.Scenario) {
	p, own := &sc.Policy, d.Policy
	p.Kills, p.Refuses, p.Sheds = p.Kills || own.Kills, p.Refuses || own.Refuses, p.Sheds || own.Sheds
	p.Recovery = cmp.Or(time.Duration(own.Recovery), p.Recovery)
	p.GapLimit = cmp.Or(time.Duration(own.Gap), p.GapLimit, 5*time.Second)
	p.MinStreams = cmp.Or(int(own.MinStreams), p.MinStreams, 1)
	p.MinInBody = cmp.Or(int(own.MinInBody), p.MinInBody)
	if sc.Fault != nil {
		p.Recovery, p.MinInBody = cmp.Or(p.Recovery, 10*time.Second), cmp.Or(p.MinInBody, 1)
	}
	if t := d.Thresholds.options(); t != (record.Thresholds{}) {
		p.Thresholds = t
	}
	switch {
	case d.Checks != nil:
		p.Checks = d.Checks
	case p.Checks == nil && sc.Fault == nil && sc.Client == (harness.Client{}):
		p.Checks = verdict.DefaultChecks
	case p.Checks == nil:
		p.Checks = excuseless
	}
}

// excuseless are the flags that no fault and no client of ours excuses.
var excuseless = []string{string(verdict.Repeated), string(verdict.ErrorThen)}

func (s Shape) over(base harness.Shape) harness.Shape {
	return harness.Shape{Events: cmp.Or(int(s.Events), base.Events), Gap: cmp.Or(time.Duration(s.Gap), base.Gap),
		Size: cmp.Or(int(s.Size), base.Size), Pause: cmp.Or(time.Duration(s.Pause), base.Pause),
		PauseAt: cmp.Or(int(s.PauseAt), base.PauseAt), Heartbeat: cmp.Or(time.Duration(s.Heartbeat), base.Heartbeat)}
}

func (c Client) over(base harness.Client) harness.Client {
	return harness.Client{
		Abort: cmp.Or(harness.Abort{AfterEvents: int(c.Abort.AfterEvents), After: time.Duration(c.Abort.After)}, base.Abort),
		Read:  cmp.Or(harness.Reading{Rate: int(c.Read.Rate), Buffer: int(c.Read.Buffer)}, base.Read),
		Reconnect: cmp.Or(harness.Reconnect{Times: int(c.Reconnect.Times), Wait: time.Duration(c.Reconnect.Wait),
			Together: c.Reconnect.Together}, base.Reconnect),
		Retry: cmp.Or(harness.Retry{Times: int(c.Retry.Times), Wait: time.Duration(c.Retry.Wait)}, base.Retry),
	}
}
