package record

import (
	"encoding/json"
	"regexp"
	"strings"
)

// This file is the one place that knows how older versions wrote down what has a
// field of its own today. Whoever reads a [Run] meets today's form alone.

// oldEvent gives an event its role and its counter. Until 2026-11 both were words
// of the subject ("app[0] worker", "app[0] oom_kill"); of containers the role stood
// in the text alone.
func oldEvent(e Event) Event {
	if e.Kind == KindCounter && e.Counter == "" {
		i := strings.LastIndexByte(e.Subject, ' ')
		e.Subject, e.Counter = e.Subject[:max(i, 0)], e.Subject[i+1:]
		return e
	}
	if e.Source != ProcessSource || e.Role != "" {
		return e
	}
	subject, worker := strings.CutSuffix(e.Subject, " worker")
	lives := e.Kind == KindStart || e.Kind == KindExit
	if e.Subject = subject; worker || lives && strings.HasPrefix(e.Text, "worker ") {
		e.Role = WorkerRole
	}
	return e
}

// oldFault gives a fault its kind and its effect. Versions before 2026-12 wrote its
// name alone, those of the first days of that month name and effect.
func oldFault(f Fault) Fault {
	if f.Kind != "" {
		return f
	}
	f.Kind = FaultOther
	if strings.Contains(f.Name, "SIGTERM") {
		f.Kind = FaultDrain
	}
	if f.Effect == "" && oldCuts.MatchString(f.Name) {
		f.Effect = Cuts
	}
	return f
}

// oldCuts is how those versions named the faults that cut.
var oldCuts = regexp.MustCompile(`\b(?:rst|fin|kill|kills|SIGKILL|SIGTERM|truncate|refuse|down|blackhole|half-close)\b`)

// Kinds of notes in which older versions kept data, as JSON.
const (
	oldLedger    NoteKind = "ledger"
	oldEdge      NoteKind = "edge"
	oldCompare   NoteKind = "compare"
	oldReference NoteKind = "reference"
)

// note adds a note to the run. Versions before 2026-12 noted which clock stamps
// arrivals, told by the first words of a doubt that the fault never struck, and kept
// data in notes. Data that cannot be read says nothing.
func (r *Run) note(n Note) {
	switch n.Kind {
	case oldLedger:
		oldData(n, &r.Ledgers, func(x *Ledger) { x.Scenario = n.Scenario })
		return
	case oldEdge:
		oldData(n, &r.Edges, func(x *EdgeProbe) { x.Scenario = n.Scenario })
		return
	case oldCompare:
		oldData(n, &r.Comparisons, func(x *Comparison) { x.Scenario = n.Scenario })
		return
	case oldReference:
		oldData(n, &r.References, func(x *Reference) { x.Scenario = n.Scenario })
		return
	}
	switch text, clock := strings.CutPrefix(n.Text, "arrival clock: "); {
	case clock && n.Kind == NoteFact:
		if r.Plan.Host.Clock == "" {
			r.Plan.Host.Clock = Clock(text)
		}
		return
	case n.Kind == NoteDoubt:
		if why, missed := strings.CutPrefix(n.Text, "the fault never struck: "); missed {
			n.Kind, n.Text = NoteNeverStruck, why
		}
	}
	r.Notes = append(r.Notes, n)
}

func oldData[T any](n Note, list *[]T, fill func(*T)) {
	var x T
	if json.Unmarshal([]byte(n.Text), &x) == nil {
		fill(&x)
		*list = append(*list, x)
	}
}

// oldApps are the first words of an app's description in plans that are older than
// 2026-12, the longer before the shorter.
var oldApps = []struct {
	words string
	kind  AppKind
}{
	{"image built from ", AppBuild},
	{"image ", AppImage},
	{"service ", AppService},
	{"command ", AppCommand},
}

// UnmarshalJSON takes the description of older plans for an app too.
func (a *App) UnmarshalJSON(b []byte) error {
	type today App
	var text string
	if json.Unmarshal(b, &text) != nil {
		return json.Unmarshal(b, (*today)(a))
	}
	for _, o := range oldApps {
		if name, ok := strings.CutPrefix(text, o.words); ok {
			*a = App{o.kind, name}
			return nil
		}
	}
	switch {
	case text == "a URL":
		*a = App{Kind: AppURL}
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		*a = App{AppURL, text}
	case text != "":
		*a = App{Kind: AppOrigin}
	}
	return nil
}
