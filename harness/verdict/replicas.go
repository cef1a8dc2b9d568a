package verdict

import (
	"maps"
	"slices"
)

// replicas counts the streams of each replica by what became of them. It is empty
// where nobody says who served a stream.
func (s *Scope) replicas() []ReplicaReport {
	namer := s.namer()
	counts := map[string]*ReplicaReport{}
	for i := range s.Streams {
		g := &s.Streams[i]
		if s.guest(g) {
			continue
		}
		who := namer.Of(g)
		r := counts[who]
		if r == nil {
			r = &ReplicaReport{Name: who, By: namer.By, Outcomes: zeroOutcomes()}
			counts[who] = r
		}
		r.Started++
		r.Outcomes[g.Grade.Outcome]++
		if g.Struck {
			r.Struck++
		}
	}
	nobody := counts[""]
	delete(counts, "")
	if len(counts) == 0 {
		return nil
	}
	if f, ok := s.Fate(); ok && f.By == namer.By {
		apart := f.Fact()
		counts[f.Name].Apart = &apart
	}
	var list []ReplicaReport
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, *counts[name])
	}
	if nobody != nil {
		nobody.By = ""
		list = append(list, *nobody) // last: those that no replica answered
	}
	return list
}

// clients sums up the clients that asked again. Nil where none did.
func (s *Scope) clients() *ClientsReport {
	followed := map[uint64]bool{} // streams that another one followed
	for i := range s.Streams {
		if after := s.Streams[i].After; after != 0 {
			followed[after] = true
		}
	}
	if len(followed) == 0 {
		return nil
	}
	r := &ClientsReport{}
	for i := range s.Streams {
		g := &s.Streams[i]
		switch {
		case g.After != 0 && followed[g.Seq]:
			r.Again++
		case g.After != 0: // a client's last stream
			r.Again++
			r.Clients++
			if g.Grade.Outcome == Complete {
				r.Whole++
			}
		}
		if g.Grade.Has(Doubled) {
			r.Doubled++
		}
	}
	return r
}
