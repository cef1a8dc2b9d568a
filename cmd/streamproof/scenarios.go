package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

func scenariosCommand() *cobra.Command {
	var sabotages, asJSON bool
	var f scenarioFilter
	cmd := &cobra.Command{
		Use:   "scenarios [NAME...] [flags]",
		Short: "List the scenarios, or the sabotages of the built-in server",
		Long: "List the scenarios, or the sabotages of the built-in server. A NAME is one of them, or a\n" +
			"word that their names and titles are searched for.",
		Example: "  streamproof scenarios\n  streamproof scenarios control cut\n  streamproof scenarios " +
			"timeout\n  streamproof scenarios --standard\n  streamproof scenarios --sabotages\n  streamproof run --sabotage " +
			"lost-event",
		ValidArgsFunction: choices(scenarioChoices),
		RunE: func(cmd *cobra.Command, args []string) error {
			w := cmd.OutOrStdout()
			if sabotages && f != (scenarioFilter{}) {
				return &harness.UsageError{Place: "--sabotages", Problem: "sabotages have no --standard, --fault and --needs",
					Fix: "leave those out"}
			}
			list, err := f.of(scenarioList(), args)
			if !sabotages && err != nil {
				return err
			}
			broken, err := sabotagesNamed(args)
			if sabotages && err != nil {
				return err
			}
			switch {
			case sabotages && asJSON:
				return writeJSON(w, broken)
			case sabotages:
				return showSabotages(w, broken, knownWidth(cmd))
			case asJSON:
				return writeJSON(w, list)
			}
			return showScenarios(w, list, knownWidth(cmd))
		},
	}
	cmd.Flags().BoolVar(&sabotages, "sabotages", false, "list the ways to break the built-in server, and what each must "+
		"be detected as")
	cmd.Flags().BoolVar(&f.standard, "standard", false, "only those of the standard suite")
	cmd.Flags().StringVar(&f.fault, "fault", "", "only those whose fault has `WORD` in its name, or none for those "+
		"without one")
	cmd.Flags().StringVar(&f.needs, "needs", "", "only those that need `WORD`, such as docker, or nothing for those "+
		"that run anywhere")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A scenarioFilter is which scenarios are listed; the zero one takes all.
type scenarioFilter struct {
	standard     bool
	fault, needs string
}

// of are those of the list that are asked for: by their names, or by a word in name
// or title, and by the flags.
func (f scenarioFilter) of(all []listedScenario, names []string) ([]listedScenario, error) {
	fits := func(s listedScenario) bool {
		return (!f.standard || s.Standard) &&
			(f.fault == "" || f.fault == "none" && s.Fault == "" ||
				strings.Contains(strings.ToLower(s.Fault), strings.ToLower(f.fault))) &&
			(f.needs == "" || f.needs == "nothing" && len(s.Needs) == 0 ||
				slices.ContainsFunc(s.Needs, func(n string) bool { return strings.Contains(n, f.needs) }))
	}
	var list []listedScenario
	for _, s := range all {
		if fits(s) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil, &harness.UsageError{Place: "scenarios", Problem: "none is like that",
			Fix: "see 'streamproof scenarios --json' for faults and needs"}
	}
	return named(list, names, "scenario", func(s listedScenario) (id, text string) { return s.ID, s.ID + " " + s.Title })
}

// sabotagesNamed does the same for sabotages.
func sabotagesNamed(names []string) ([]listedSabotage, error) {
	return named(sabotageList(), names, "sabotage", func(s listedSabotage) (id, text string) {
		return s.Name, s.Name + " " + s.Does
	})
}

// named are the things with these names, in the order of the names; where a name is
// none of theirs, those that have it as a word of their text.
func named[T any](all []T, names []string, what string, of func(T) (id, text string)) ([]T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var list []T
	var ids []string
	taken := map[string]bool{}
	for _, t := range all {
		id, _ := of(t)
		ids = append(ids, id)
	}
	for _, name := range names {
		exact, found := slices.Contains(ids, name), false
		for _, t := range all {
			id, text := of(t)
			if exact && id != name || !strings.Contains(strings.ToLower(text), strings.ToLower(name)) {
				continue
			}
			found = true
			if !taken[id] {
				taken[id], list = true, append(list, t)
			}
		}
		if !found {
			return nil, &harness.UsageError{Place: "scenarios", Problem: fmt.Sprintf("unknown %s %q", what, name),
				Fix: suggestSabotage(name, ids)}
		}
	}
	return list, nil
}

// A listed scenario is what a reader needs to choose one.
type listedScenario struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Proves   string   `json:"proves"`
	Symptom  string   `json:"symptom,omitempty"`    // what a client sees where that does not hold
	Differs  string   `json:"look_alike,omitempty"` // what it is easily taken for, and how to tell
	Fault    string   `json:"fault,omitempty"`
	Needs    []string `json:"needs"`
	Tags     []string `json:"tags"`
	Standard bool     `json:"standard"` // part of the standard suite
}

func scenarioList() []listedScenario {
	inSuite := map[string]bool{}
	for _, s := range scenarios.Standard() {
		inSuite[s.ID] = true
	}
	var list []listedScenario
	for _, s := range scenarios.All() {
		l := listedScenario{ID: s.ID, Title: s.Title, Proves: s.Doc, Symptom: s.Symptom, Differs: s.LookAlike,
			Needs: needs(s), Tags: tagsOf(s), Standard: inSuite[s.ID]}
		if s.Fault != nil {
			l.Fault = s.Fault.String()
		}
		list = append(list, l)
	}
	return list
}

// needs lists what a host or an app must bring for s to prove anything.
func needs(s harness.Scenario) []string {
	list := slices.Clone(s.Needs)
	edge := s.Edge
	edge.IdleTimeout = 0 // a hop of our own
	if edge != (stack.Edge{Form: stack.EdgeStreaming}) && edge.Form != stack.EdgeNone && !slices.Contains(list, "nginx") {
		list = append(list, "nginx")
	}
	if s.Workers > 1 {
		list = append(list, fmt.Sprintf("%d worker processes", s.Workers))
	}
	if s.Replicas > 1 {
		list = append(list, fmt.Sprintf("%d replicas", s.Replicas))
	}
	if list == nil {
		list = []string{} // JSON shows [] and not null
	}
	return list
}

func showScenarios(w io.Writer, list []listedScenario, width int) error {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		mark := ""
		if !s.Standard {
			mark = "  (not in the standard suite)"
		}
		fmt.Fprintf(&b, "%s: %s%s\n    %s\n", s.ID, s.Title, mark, s.Proves)
		if s.Symptom != "" {
			fmt.Fprintf(&b, "    symptom: %s\n    look-alike: %s\n", s.Symptom, s.Differs)
		}
		if s.Fault != "" {
			fmt.Fprintf(&b, "    fault: %s\n", s.Fault)
		}
		if len(s.Needs) > 0 {
			fmt.Fprintf(&b, "    needs: %s\n", strings.Join(s.Needs, ", "))
		}
	}
	_, err := io.WriteString(w, reflowed(b.String(), width))
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
