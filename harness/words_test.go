package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everyday are words that types are named with and that need no glossary: those of Go,
// of HTTP and of every program, and adjectives and verbs.
const everyday = `action answer arrivals ask batch body bound bounds client clock close comparison config conf counter
	decoder dialer direction doubt entry error evidence expectation fact fields file fix form header head host image
	interest job key kind known line log look matcher mode moment note options opener part parts pattern person phase
	piece place process product program progress proof reader redirect reference refusal report request retry role row
	rule sequence server sign source span spec state step strings sum summary target template text time timed timeline
	timer token tokens trace upstream usage value values view warning watch writer`

// special are types that are named with a noun of their own, each explained where it is
// declared.
const special = `Abilities Able Abort Absent Alike Applies Buffering Candidate Chain Choices Cluster Compose Conduct
	ControlSeen Crowd Dimension Effect Ended Ending Endless Enough Entrance Excuse Expected Fate Follow
	Generator Grade Graded Guess Harness Held Inflater Instant KeptUp Legible Level Live Mark Measure
	Merger Metric Must Namer Nginx Objective Objectives Op Ordered Owned Pacing Production Provable
	Quantiles Range Readable Reading Reconnect Redirected Remote Response Result Rig SLO Sampler Scope
	Secrets SharedSilence Slowdown Stage Stamper Starvation Strict Struck TLS Trial Thief Thresholds Twin
	Unable Unfollowed Unit Untouched Where Wire`

// entry is a line of the glossary.
var entry = regexp.MustCompile(`^ +- (\w+): `)

// TestWords: the glossary has at most 40 nouns, each of which names a type, a package or
// a value below harness.
func TestWords(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(f.Doc.Text()) {
		if m := entry.FindStringSubmatch(line); m != nil {
			words = append(words, m[1])
		}
	}
	if len(words) < 30 || len(words) > 40 {
		t.Errorf("%d words, want 30 to 40", len(words))
	}
	names, types := exported(t)
	for _, w := range words {
		if !names[w] && !names[strings.ToLower(w)] {
			t.Errorf("nothing below harness is called %s", w)
		}
	}
	known := strings.Fields(everyday)
	for _, w := range words {
		known = append(known, strings.ToLower(w))
	}
	var strange []string
	for _, name := range types {
		if !slices.ContainsFunc(parted(name), func(w string) bool {
			return slices.Contains(known, w) || slices.Contains(known, strings.TrimSuffix(w, "s"))
		}) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	own := strings.Fields(special)
	for _, name := range strange {
		if !slices.Contains(own, name) {
			t.Errorf("type %s is named with a noun that the glossary of doc.go does not have", name)
		}
	}
}

// exported are the exported names below harness, with those of its packages, and apart
// the types among them: without abilities, which are named after their method, and
// faults, which are named after what they do.
func exported(t *testing.T) (names map[string]bool, types []string) {
	t.Helper()
	names = map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata" || d.Name() == "harnesstest") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names[f.Name.Name] = true
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if !s.Name.IsExported() || names[s.Name.Name] {
						continue
					}
					names[s.Name.Name] = true
					if _, ability := s.Type.(*ast.InterfaceType); !ability && f.Name.Name != "fault" {
						types = append(types, s.Name.Name)
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, types
}

var capital = regexp.MustCompile(`[A-Z]+[a-z]*`)

// parted are the words of a name, in small letters.
func parted(name string) (words []string) {
	for _, w := range capital.FindAllString(name, -1) {
		words = append(words, strings.ToLower(w))
	}
	return words
}
