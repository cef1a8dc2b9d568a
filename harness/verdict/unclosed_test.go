package verdict

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// An answer that left something open is complete where the server never closes, and
// corrupt where it closes in others, or where only struck answers are known.
func TestUnclosed(t *testing.T) {
	open := stream.Summary{State: stream.Complete, Terminals: 1, Unclosed: "content block"}
	closed := stream.Summary{State: stream.Complete, Terminals: 1, Closes: true}
	cut := stream.Summary{State: stream.Prefix, Closes: true}
	for _, tt := range []struct {
		name  string
		calm  []stream.Summary // in a scenario without a fault
		hit   []stream.Summary // victims of a fault
		want  stream.State     // of those that left something open
		doubt bool
	}{
		{"it never closes", []stream.Summary{open, open}, []stream.Summary{open}, stream.Complete, true},
		{"it closes in others", []stream.Summary{closed, open}, nil, stream.Corrupt, false},
		{"only where a fault struck it does not close", []stream.Summary{closed}, []stream.Summary{open, open, open},
			stream.Corrupt, false},
		{"nothing is known of calm answers", nil, []stream.Summary{open, open}, stream.Corrupt, false},
		{"a cut answer tells nothing", []stream.Summary{open, cut}, nil, stream.Complete, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := &record.Run{Plan: record.Plan{Scenarios: []record.Scenario{{ID: "calm"}, {ID: "kill", Fault: "kill"}}}}
			add := func(id string, group record.Group, all []stream.Summary) {
				for _, c := range all {
					run.Streams = append(run.Streams, record.Stream{Seq: uint64(len(run.Streams) + 1), Scenario: id, Group: group,
						Status: 200, Content: c})
				}
			}
			add("calm", "", tt.calm)
			add("kill", record.Victim, tt.hit)
			doubts := 0
			for _, s := range Scopes(run) {
				for i := range s.Streams {
					c := &s.Streams[i].Content
					if c.Unclosed != "" && c.State != tt.want {
						t.Errorf("%s: %q (%s), want %q", s.Scenario.ID, c.State, c.Why, tt.want)
					}
					if f := s.Streams[i].Grade.Fact; c.State == stream.Corrupt && (!f.Is(FactStillOpen) || f.Name != "content block") {
						t.Errorf("no reason: %s", f)
					}
				}
				doubts += len(s.unclosedDoubts())
			}
			if doubts > 0 != tt.doubt {
				t.Errorf("%d doubts, want any: %v", doubts, tt.doubt)
			}
			for _, s := range run.Streams { // the record stays as it is
				if s.Content.Unclosed != "" && s.Content.State != stream.Complete {
					t.Error("the stored stream was changed")
				}
			}
		})
	}
}
