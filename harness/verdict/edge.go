package verdict

import (
	"encoding/json"

	"github.com/streamproof/streamproof/harness/record"
)

// edge reads what the edge was found to do before the load. A note that cannot be
// read is from another version and says nothing.
func (s *Scope) edge() *EdgeReport {
	for _, n := range s.Notes {
		if n.Kind != record.NoteEdge {
			continue
		}
		var r EdgeReport
		if json.Unmarshal([]byte(n.Text), &r.EdgeProbe) == nil {
			r.Summary = r.EdgeProbe.Summary()
			return &r
		}
	}
	return nil
}
