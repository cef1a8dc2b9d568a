package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

// A listed sabotage says how the origin can be broken, which scenario reveals
// it, and what the broken streams must be found to be.
type listedSabotage struct {
	Name     string `json:"name"`
	Does     string `json:"does"`
	Scenario string `json:"scenario"`
	Outcome  string `json:"outcome"`
	Content  string `json:"content"`
	Ending   string `json:"ending"`
	Flag     string `json:"flag,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Direct   bool   `json:"direct"` // outcome and ending hold where no proxy stands in between
}

func sabotageList() []listedSabotage {
	var list []listedSabotage
	for _, s := range scenarios.Sabotages() {
		list = append(list, listedSabotage{s.Name, s.Doc, s.Scenario, string(s.Outcome), string(s.Content), string(s.Ending),
			string(s.Flag), s.Cause, s.Direct})
	}
	return list
}

func showSabotages(w io.Writer, list []listedSabotage, width int) error {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s: %s\n    revealed by %s as %s\n", s.Name, s.Does, s.Scenario, s.finding())
	}
	b.WriteString("\nRun one with: streamproof run --sabotage NAME\n")
	_, err := io.WriteString(w, reflowed(b.String(), width))
	return err
}

// finding reads "truncated (valid prefix, clean EOF without terminal), cause silent truncation".
func (s listedSabotage) finding() string {
	f := fmt.Sprintf("%s (%s, %s)", s.Outcome, s.Content, s.Ending)
	if s.Flag != "" {
		f += ", flag " + s.Flag
	}
	if s.Cause != "" {
		f += ", cause " + s.Cause
	}
	if s.Direct {
		f += "; a proxy may turn the ending into its own"
	}
	return f
}

// sabotaged says how much of the load the sabotage named by flag strikes.
func (in *input) sabotaged() (harness.Sabotage, error) {
	if in.sabotage == "" {
		return harness.Sabotage{}, nil
	}
	var names []string
	for _, s := range scenarios.Sabotages() {
		if s.Name == in.sabotage {
			return harness.Sabotage{Name: s.Name, Share: s.Share}, nil
		}
		names = append(names, s.Name)
	}
	return harness.Sabotage{},
		&harness.UsageError{Place: "--sabotage", Problem: fmt.Sprintf("unknown sabotage %q", in.sabotage),
			Fix: suggestSabotage(in.sabotage, names)}
}

// suggestSabotage does not list all of them in one line, which are thirty and more.
func suggestSabotage(got string, names []string) string {
	if fix := config.Suggest(got, names); !strings.HasPrefix(fix, "known are") {
		return fix
	}
	return "see 'streamproof scenarios' and 'streamproof scenarios --sabotages'"
}

// revealing is the scenario that brings a known sabotage to light.
func (in *input) revealing(name string) ([]harness.Scenario, error) {
	for _, s := range scenarios.Sabotages() {
		if s.Name == name {
			return in.lookup([]string{s.Scenario}, nil)
		}
	}
	return nil, fmt.Errorf("find scenario of sabotage %s: unknown", name)
}
