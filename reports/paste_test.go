package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// wholeCommands are the kinds whose Text is a command line, or words of somebody else.
var wholeCommands = map[record.FactKind]bool{record.FactQuoted: true, diagnose.NextRerun: true, diagnose.NextPeel: true,
	verdict.NextAgain: true, diagnose.NextWithPeel: true, diagnose.NextEdgeLog: true}

// awkward are texts that a server may send and that a shell would take apart, by what a
// kind has for its Text.
var awkward = []string{"/chat/?a=b&c=it's;d", "json .note == \"it's $5; done\"", "event == bye", ""}

// TestEveryFixPastes says every next step and every fix of every kind, with figures, and
// with names and texts of strangers in them, and reads them as a shell, the command line,
// streamproof.yaml and nginx do.
func TestEveryFixPastes(t *testing.T) {
	kinds, said := map[record.FactKind]string{}, 0
	for _, pkg := range []string{"verdict", "diagnose"} {
		for kind, name := range kindsOf(t, pkg) {
			kinds[kind] = pkg + "." + name
		}
	}
	for kind, name := range kinds {
		_, short, _ := strings.Cut(name, ".")
		if !strings.HasPrefix(short, "Next") && !strings.HasPrefix(short, "Mend") || wholeCommands[kind] {
			continue
		}
		for _, text := range awkward {
			takesPath := kind == verdict.NextPath || kind == diagnose.MendFollow
			if text != "" && takesPath != strings.HasPrefix(text, "/") {
				continue
			}
			f := record.Fact{Kind: kind, N: 3, Of: 20, Need: 40, Took: 3 * time.Second, Bound: time.Minute,
				Times: []time.Duration{time.Second, 2 * time.Second}, Bytes: 1 << 16, More: 1 << 10, Share: 0.5, Stream: 7,
				Name: "a.example", Place: "choices[0]", Text: text, Counts: []record.Count{{Name: "one", N: 1}},
				About: []record.Fact{record.Quoted(", and so on"), record.Quoted("that"), record.Quoted("those")}}
			said++
			if err := pastes(Say(&f)); err != nil {
				t.Errorf("%s, text %q: %v", name, text, err)
			}
		}
	}
	for topic, fixes := range edgeFixes {
		for product, fix := range fixes {
			if err := paste.Fix(fix); err != nil {
				t.Errorf("%s at %s: %v", topic, product, err)
			}
		}
	}
	for name, fixes := range appFixes {
		for language, fix := range fixes {
			if err := paste.Fix(fix); err != nil {
				t.Errorf("%s in %s: %v", name, language, err)
			}
		}
	}
	if said < 300 {
		t.Errorf("only %d steps were said", said)
	}
}

// oneOfMany is a count of one with a noun of many.
var oneOfMany = regexp.MustCompile(`\b1 (?:[a-z]+ )?(?:answer|byte|client|connection|event|gap|heartbeat|hop|` +
	`instant|line|minute|piece|process|read|replica|request|response|retry|run|scenario|second|silence|stream|terminal|thread|try|worker)(?:e?s)\b`)

// Whatever is counted may be one.
func TestOneIsSingular(t *testing.T) {
	for _, pkg := range []string{"record", "verdict", "diagnose", "compare"} {
		for kind, name := range kindsOf(t, pkg) {
			one := []record.Fact{record.Quoted("this"), record.Quoted("that"), record.Quoted("those")}
			said := Say(&record.Fact{Kind: kind, N: 1, Of: 1, Need: 1, Bytes: 1, More: 1, Stream: 7, Took: time.Second,
				Bound: time.Second, Times: slices.Repeat([]time.Duration{time.Second}, 6), Share: 1, Name: "a", Place: "b", Text: "c",
				Counts: []record.Count{{Name: "one", N: 1}, {Name: "two", N: 1}}, About: one})
			for _, at := range oneOfMany.FindAllStringIndex(said, -1) {
				if !strings.HasSuffix(said[:at[0]], "1 of ") { // one of one streams
					t.Errorf("%s.%s says %q: %s", pkg, name, said[at[0]:at[1]], said)
				}
			}
		}
	}
}

// pastes reads a next step or a fix.
func pastes(text string) error {
	if IsCommand(text) {
		return paste.Command(text)
	}
	return paste.Fix(text)
}

// A command that repeats a run names every one of the commands that reports advise.
func TestSubcommandsExist(t *testing.T) {
	for _, name := range subcommands {
		err := paste.Command(fmt.Sprintf("streamproof %s --help", name))
		if err != nil && !strings.Contains(err.Error(), "help requested") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
