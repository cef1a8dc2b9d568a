package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	made "github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// longRun writes a run of n streams, of which some are cut, and reads it in parts of so
// many.
func longRun(t *testing.T, n, streams int) Input {
	t.Helper()
	b := made.New()
	b.Add(1, made.Shape{Group: record.Solo})
	b.Each(n-1, func(i int) made.Shape {
		sh := made.Shape{Start: 3*time.Second + time.Duration(i)*5*time.Millisecond}
		if i%30 == 17 {
			sh.Keep, sh.End = 9, made.Clean
		}
		return sh
	})
	parts, err := record.Bounds{Streams: streams, Bytes: 1 << 30}.Open(made.Store(t, &b.Run))
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	var shown Selection
	r, err := diagnose.ReportParts(parts, func(p *record.Part, scopes []verdict.Scope, r *verdict.Report) {
		shown.Add(p, parts.Len(), scopes, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	pastable(t, r)
	return shown.Input(parts.Run, r)
}

// A page of a record that is read in parts counts all of its streams, shows the worst
// and what its causes name, keeps a bounded number, and says what it leaves out.
func TestSelectionOfALongRun(t *testing.T) {
	const n = 6000
	in := longRun(t, n, 500)
	if kept := len(in.Run.Streams); kept < maxRows || kept > n/2 {
		t.Errorf("%d streams are kept of %d", kept, n)
	}
	var b strings.Builder
	if err := HTML(&b, in); err != nil {
		t.Fatal(err)
	}
	want := []string{"of 6,000 streams, worst first", "12 parts, one after the other", "without a lane here", "evenly spread"}
	for _, c := range in.Report.Scenarios[0].Causes {
		for _, seq := range c.Streams {
			want = append(want, fmt.Sprintf(`href="#l%d"`, seq))
		}
	}
	for _, text := range want {
		if !strings.Contains(b.String(), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

// The streams that a page of a long run shows do not depend on the order of a map.
func TestSelectionIsOneAnswer(t *testing.T) {
	pages := map[string]bool{}
	for range 5 {
		var b strings.Builder
		if err := HTML(&b, longRun(t, 1500, 100)); err != nil {
			t.Fatal(err)
		}
		pages[b.String()] = true
	}
	if len(pages) != 1 {
		t.Errorf("one record has %d pages", len(pages))
	}
}
