package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
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
		sc, err := f.scenario(f.defines[i], base)
		var m *misfit
		if errors.As(err, &m) {
			return nil, f.Locate(path+"."+m.path, m.problem, m.fix)
		}
		if err != nil {
			return nil, f.explain(err)
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
		return harness.Scenario{},
			f.Locate(path+".id", fmt.Sprintf("id %q has other letters than a to z, digits and dashes", d.ID),
				"write it like slow-clients")
	case taken, d.ID == Standard, d.ID == All:
		return harness.Scenario{}, f.Locate(path+".id", fmt.Sprintf("there is a scenario %q already", d.ID),
			"choose another id; to begin with it, write extends: "+d.ID)
	case d.Extends == "":
		return harness.Scenario{Edge: stack.Edge{Form: stack.EdgeStreaming}}, nil
	}
	base, ok := known[d.Extends]
	if !ok {
		return base, f.Locate(path+".extends", fmt.Sprintf("unknown scenario %q", d.Extends), Suggest(d.Extends, ids))
	}
	return base, nil
}

// scenario puts what the file says at n over the scenario that it extends.
func (f *File) scenario(n ast.Node, base harness.Scenario) (harness.Scenario, error) {
	d := Define{Scenario: base}
	d.ID, d.Title, d.Doc, d.Load = "", "", "", harness.Load{}
	if err := f.decode(n, reflect.ValueOf(&d).Elem(), ""); err != nil {
		return base, err
	}
	sc := d.Scenario
	sc.Title, sc.Doc = cmp.Or(d.Title, d.ID), cmp.Or(d.Doc, base.Doc, d.Title, d.ID)
	sc.Load = d.Load.Over(base.Load)
	sc.Replicas, sc.Workers = max(sc.Replicas, base.Replicas), max(sc.Workers, base.Workers)
	if d.Fault != nil {
		made, err := d.Fault.build("fault", Duration(sc.Hold))
		if err != nil {
			return sc, err
		}
		sc.Peel, sc.Fault = false, made
	}
	if err := without(&sc); err != nil {
		return sc, err
	}
	d.judged(&sc, says(n, "when"))
	return sc, nil
}

// says reports whether a map of the file has a key, if only with a zero value.
func says(n ast.Node, key string) bool {
	for _, pair := range pairs(n) {
		_, merge := pair.Key.(*ast.MergeKeyNode)
		if pair.Key.GetToken().Value == key || merge && says(pair.Value, key) {
			return true
		}
	}
	return false
}

// without refuses what is about a fault, or about victims, where there is none.
func without(sc *harness.Scenario) error {
	const fix = "add fault:, or leave it out"
	switch none := "the scenario has no fault"; {
	case sc.Fault != nil:
		return nil
	case sc.When != (harness.When{}):
		return &misfit{"when", none + " that could strike then", fix}
	case sc.Until != (harness.When{}):
		return &misfit{"until", none + " that could end then", fix}
	case sc.Hold > 0:
		return &misfit{"hold", none + " that could stand so long", fix}
	case sc.Share > 0 && !sc.Client.Own():
		return &misfit{"share", "the scenario has neither a fault nor a client that streams could have",
			"add fault: or client:, or leave it out"}
	}
	return nil
}

// judged sets what the scenario is held to. timed says that the file says when the fault
// strikes, which may be at once.
func (d *Define) judged(sc *harness.Scenario, timed bool) {
	p := &sc.Policy
	p.GapLimit = cmp.Or(p.GapLimit, 5*time.Second)
	p.MinStreams = cmp.Or(p.MinStreams, 1)
	if sc.Fault != nil {
		p.Recovery = cmp.Or(p.Recovery, 10*time.Second)
		// Before its first event no victim is in its body.
		switch atOnce := sc.When.IsZero() && fault.AtOnce(sc.Fault); {
		case atOnce && !timed:
			sc.When.Events, p.MinInBody = 1, cmp.Or(p.MinInBody, 1)
		case !atOnce:
			p.MinInBody = cmp.Or(p.MinInBody, 1)
		}
	}
	if d.Thresholds != (record.Thresholds{}) {
		p.Thresholds = d.Thresholds.Over(p.Thresholds)
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
