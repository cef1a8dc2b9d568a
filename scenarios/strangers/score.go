//go:build linux

package strangers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// FirstRight reports whether what was named first is what was planted.
func (a *Answer) FirstRight() bool { return slices.Contains(a.first, a.First) }

// LayerRight reports whether the layer is that of what was planted.
func (a *Answer) LayerRight() bool { return slices.Contains(a.layers, a.Layer) }

// Among reports whether what was planted is named at all.
func (a *Answer) Among() bool {
	return slices.ContainsFunc(a.Names, func(n string) bool { return slices.Contains(a.first, n) })
}

// Blamed reports whether a sound stack was accused.
func (a *Answer) Blamed() bool { return a.Verdict == "fail" || a.First != "" }

// A Score counts answers.
type Score struct {
	Planted, First, Layer int // with logs
	Known, Among          int // with and without
	Sound, Blamed         map[string]int
	Skipped, Broken       int
}

// Count makes the score of all answers.
func Count(all []*Answer) *Score {
	s := &Score{Sound: map[string]int{}, Blamed: map[string]int{}}
	for _, a := range all {
		switch {
		case a.Skipped != "":
			s.Skipped++
		case a.Broken != "":
			s.Broken++
		case a.plant == nil:
			s.Sound[a.Command]++
			s.Blamed[a.Command] += one(a.Blamed())
		default:
			s.Known++
			s.Among += one(a.Among())
			if a.Logs {
				s.Planted++
				s.First += one(a.FirstRight())
				s.Layer += one(a.LayerRight())
			}
		}
	}
	return s
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

// Table is the matrix as a reader wants it: a line for each planted kind, then
// what went wrong one by one, then the figures.
func Table(all []*Answer) string {
	var b strings.Builder
	byKind := map[string][]*Answer{}
	for _, a := range all {
		if a.Skipped == "" && a.Broken == "" {
			byKind[a.Kind] = append(byKind[a.Kind], a)
		}
	}
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "planted\truns\tfirst\tlayer\tamong\ttaken for")
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		line(w, kind, byKind[kind])
	}
	w.Flush()
	for _, a := range all {
		if wrong := a.wrong(); wrong != "" {
			fmt.Fprintf(&b, "\n#%d %s\n    %s\n    %s: %s\n    %s\n", a.N, a.Case, wrong, a.Verdict, a.Why, a.Dir)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", Count(all))
	return b.String()
}

func line(w *tabwriter.Writer, kind string, of []*Answer) {
	first, layer, among := 0, 0, 0
	taken := map[string]int{}
	for _, a := range of {
		if a.plant == nil {
			if first += one(!a.Blamed()); a.Blamed() {
				taken[orNothing(a.First)]++
			}
			continue
		}
		if first += one(a.FirstRight()); !a.FirstRight() {
			taken[orNothing(a.First)]++
		}
		layer, among = layer+one(a.LayerRight()), among+one(a.Among())
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		parts = append(parts, fmt.Sprintf("%d × %s", taken[name], name))
	}
	if of[0].plant == nil {
		fmt.Fprintf(w, "%s\t%d\t%d\t–\t–\t%s\n", kind, len(of), first, strings.Join(parts, ", "))
		return
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", kind, len(of), first, layer, among, strings.Join(parts, ", "))
}

func orNothing(name string) string {
	if name == "" {
		return "nothing"
	}
	return name
}

// wrong says what is wrong with an answer, "" for nothing.
func (a *Answer) wrong() string {
	said := fmt.Sprintf("said %q (%s): %s", orNothing(a.First), orNothing(a.Layer), a.Says)
	switch {
	case a.Skipped != "":
		return "skipped: " + a.Skipped
	case a.Broken != "":
		return "broken: " + a.Broken
	case a.plant == nil && a.Blamed():
		return "false blame: " + said
	case a.plant == nil:
		return ""
	case !a.FirstRight() && a.Among():
		return "not first: " + said
	case !a.FirstRight():
		return "not named: " + said
	case !a.LayerRight():
		return "layer: " + said
	}
	return ""
}

// String are the figures in one paragraph.
func (s *Score) String() string {
	return fmt.Sprintf("with logs: right cause first %.1f %% (%d of %d), right layer %.1f %% (%d of %d); among the "+
		"candidates, logs or not, %.1f %% (%d of %d);\n"+
		"false blame on sound stacks: run %d of %d, diagnose %d of %d; %d skipped, %d broken",
		100*share(s.First, s.Planted), s.First, s.Planted, 100*share(s.Layer, s.Planted), s.Layer, s.Planted,
		100*share(s.Among, s.Known), s.Among, s.Known,
		s.Blamed["run"], s.Sound["run"], s.Blamed["diagnose"], s.Sound["diagnose"], s.Skipped, s.Broken)
}
