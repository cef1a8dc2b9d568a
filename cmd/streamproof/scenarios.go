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
	cmd := &cobra.Command{
		Use:     "scenarios [flags]",
		Short:   "List the scenarios, or the sabotages of the built-in origin",
		Example: "  streamproof scenarios\n  streamproof scenarios --sabotages\n  streamproof run --sabotage lost-event",
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			switch {
			case sabotages && asJSON:
				return writeJSON(w, sabotageList())
			case sabotages:
				return showSabotages(w, sabotageList())
			case asJSON:
				return writeJSON(w, scenarioList())
			}
			return showScenarios(w, scenarioList())
		},
	}
	cmd.Flags().BoolVar(&sabotages, "sabotages", false, "list the ways to break the built-in origin, and what each must be found out as")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
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
	Standard bool     `json:"standard"` // part of the standard suite
}

func scenarioList() []listedScenario {
	inSuite := map[string]bool{}
	for _, s := range scenarios.Standard() {
		inSuite[s.ID] = true
	}
	var list []listedScenario
	for _, s := range scenarios.All() {
		l := listedScenario{ID: s.ID, Title: s.Title, Proves: s.Doc, Symptom: s.Symptom, Differs: s.LookAlike, Needs: needs(s), Standard: inSuite[s.ID]}
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

func showScenarios(w io.Writer, list []listedScenario) error {
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
	_, err := io.WriteString(w, b.String())
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
