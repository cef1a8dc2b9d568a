package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// rowsOf returns n streams a group, in the order of lanes; every tenth is
// truncated.
func rowsOf(n int, groups ...record.Group) []row {
	s := newSynth()
	for _, g := range groups {
		for i := range n {
			h := healthy(g)
			if i%10 == 9 {
				h.outcome, h.ending = verdict.Truncated, verdict.CleanEOF
			}
			s.stream("x", time.Duration(i)*ms, h)
		}
	}
	b := &builder{byScenario: map[string][]row{"x": s.rows("x")}}
	return b.streams("x")
}

func TestRowsWorstFirst(t *testing.T) {
	rows := rowsOf(20, record.Baseline, record.Victim)
	for i, r := range rows {
		group, worst := record.Victim, i < 2
		if i >= 20 {
			group, worst = record.Baseline, i < 22
		}
		if r.Group != group || (r.Grade.Outcome == verdict.Truncated) != worst {
			t.Errorf("row %d is %s, %s", i, r.Group, r.Grade.Outcome)
		}
	}
}

func TestSampleKeepsWorstAndControls(t *testing.T) {
	rows := append(rowsOf(5000, record.Victim), rowsOf(20, record.Control)...)
	shown, groups := 0, sample(rows, maxRows)
	for _, g := range groups {
		shown += len(g.rows)
	}
	if shown > maxRows || shown < maxRows*9/10 {
		t.Errorf("shows %d rows of at most %d", shown, maxRows)
	}
	if len(groups) != 2 || len(groups[1].rows) < minGroupRows {
		t.Fatalf("the control group is cut to %d rows", len(groups[len(groups)-1].rows))
	}
	bad, well := 0, 0
	for _, r := range groups[0].rows {
		if r.Grade.Outcome == verdict.Truncated {
			bad++
		} else {
			well++
		}
	}
	if bad < 2*well || well == 0 {
		t.Errorf("victims show %d truncated and %d complete: want mostly the worst, and some of the rest", bad, well)
	}
}

func TestNoticeCountsWhatIsLeftOut(t *testing.T) {
	in := large(2000)
	page := string(rendered(t, HTML, in))
	for _, want := range []string{"of 2,500 streams, worst first", "streams without a lane here"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page, `<path class="b"`); n > maxRowsInAll {
		t.Errorf("%d lanes, more than %d", n, maxRowsInAll)
	}
}

func TestTicksBinned(t *testing.T) {
	s := newSynth()
	h := healthy(record.Load)
	h.events, h.gap = 20000, 100*time.Microsecond
	s.stream("x", 0, h)
	d := newDrawing(0, s.now, 1)
	d.lane(s.rows("x")[0])
	if n := len(d.body); n > 1000 {
		t.Errorf("20,000 events without a gap take %d bytes: adjoining columns are not joined", n)
	}
	for b, kind := range d.marks {
		if kind != noTick {
			t.Fatalf("column %d is left standing for the next lane", b)
		}
	}
}

// TestTicks: one event is one column, two far apart are two.
func TestTicks(t *testing.T) {
	var d drawing
	d.row = 9
	for _, b := range []int{3, 4, 5, 9} {
		d.marks[b] = contentTick
	}
	d.marks[7] = heartbeatTick
	d.ticks("t", contentTick, 3, 9, 4)
	want := fmt.Sprintf(`<path class="t r9" d="M%d 4h3m3 0h1"/>`, laneLeft+3)
	if got := string(d.body); got != want {
		t.Errorf("ticks = %s, want %s", got, want)
	}
}

func TestFaultShaded(t *testing.T) {
	run := &record.Run{Windows: []record.Window{
		{Scenario: "x", Fault: record.Fault{Name: "cut"}, Phase: record.Armed, At: 1 * time.Second},
		{Scenario: "other", Fault: record.Fault{Name: "cut"}, Phase: record.Healed, At: 1500 * ms},
		{Scenario: "x", Fault: record.Fault{Name: "cut"}, Phase: record.Active, At: 2 * time.Second},
		{Scenario: "x", Fault: record.Fault{Name: "cut"}, Phase: record.Confirmed, At: 2500 * ms},
		{Scenario: "x", Fault: record.Fault{Name: "cut"}, Phase: record.Healed, At: 3 * time.Second},
	}}
	d := newDrawing(0, 10*time.Second, 1)
	d.fault(run, "x")
	want := []faultSpan{
		{"armed", "armed: cut", 1 * time.Second, 2 * time.Second},
		{"active", "active: cut", 2 * time.Second, 3 * time.Second},
		{"healing", "healed: cut", 3 * time.Second, 10 * time.Second}, // never recovered
	}
	if len(d.spans) != len(want) {
		t.Fatalf("spans = %v, want %v", d.spans, want)
	}
	for i := range want {
		if d.spans[i] != want[i] {
			t.Errorf("span %d = %v, want %v", i, d.spans[i], want[i])
		}
	}
	if len(d.seen) != 1 || d.seen[0] != 2500*ms {
		t.Errorf("confirmed at %v, want 2.5 s", d.seen)
	}
}

// TestLabelsApart: no two labels of one line overlap, however close the phases.
func TestLabelsApart(t *testing.T) {
	d := newDrawing(0, 10*time.Second, 1)
	for i := range 6 {
		at := time.Duration(i) * 50 * ms
		d.spans = append(d.spans, faultSpan{"active", "active: a fault with a long name", at, at + ms})
	}
	ends := map[int]int{}
	for _, l := range d.labels() {
		if l.x < ends[l.line] {
			t.Errorf("label at %d of line %d covers one that ends at %d", l.x, l.line, ends[l.line])
		}
		ends[l.line] = l.x + letter*len(l.text)
	}
}
