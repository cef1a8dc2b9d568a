package reports

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A replicaView is one line of the table of replicas. Struck is empty where no
// fault met any of them, Worse where the replica fares like the others.
type replicaView struct{ Name, Streams, Struck, Outcomes, Worse string }

// Stand for the replica of streams that none answered, and of those that do not say which
// one did.
const (
	nobody  = "no replica"
	unnamed = "not known"
)

// replicaViews is empty where there was only one replica to serve.
func replicaViews(replicas []verdict.ReplicaReport) []replicaView {
	named, struck := 0, 0
	for _, r := range replicas {
		if r.Name != "" {
			named++
		}
		struck += r.Struck
	}
	if named < 2 {
		return nil
	}
	var out []replicaView
	for _, r := range replicas {
		name := r.Name
		if name == "" {
			name = nobody
			if r.Outcomes[verdict.Complete] > 0 {
				name = unnamed
			}
		}
		v := replicaView{Name: name, Streams: thousands(r.Started), Outcomes: tally(r.Outcomes),
			Worse: r.Worse}
		if r.By != "" {
			v.Name += " (" + r.By + ")"
		}
		if struck > 0 {
			v.Struck = thousands(r.Struck)
		}
		out = append(out, v)
	}
	return out
}

// replicas writes who served what.
func (t *text) replicas(s verdict.ScenarioReport) {
	for _, v := range replicaViews(s.Replicas) {
		met := ""
		if v.Struck != "" {
			met = ", " + v.Struck + " exposed to the fault"
		}
		t.item(v.Name, v.Streams+" streams"+met+": "+v.Outcomes)
		if v.Worse != "" {
			t.item("", "worse than the others: "+v.Worse)
		}
	}
	if line := clientsLine(s.Clients); line != "" {
		t.para("  ", line)
	}
}

// clientsLine says what became of the clients that asked again.
func clientsLine(c *verdict.ClientsReport) string {
	if c == nil {
		return ""
	}
	parts := []string{fmt.Sprintf("%s asked again, %s in all; %s got a complete response in the end",
		count(c.Clients, "client"), count(c.Again, "time"), thousands(c.Whole))}
	if c.Doubled > 0 {
		parts = append(parts, fmt.Sprintf("the work of %s was begun more than once", count(c.Doubled, "request")))
	}
	return strings.Join(parts, "; ")
}
