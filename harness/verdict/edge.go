package verdict

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// edge is what the edge was found to do before the load; nil where nobody asked.
func (s *Scope) edge() *EdgeReport {
	for _, p := range s.Run.Edges {
		if p.Scenario == s.Scenario.ID {
			return &EdgeReport{EdgeProbe: p}
		}
	}
	return nil
}

// EdgeProduct names the software of an edge that we did not start, and what gives
// it away: a response field, the process that listens, the form of its log.
// Fields that the app bears as well when it is asked directly are the app's own.
func (s *Scope) EdgeProduct() (p record.EdgeProduct, sign string) {
	own, ours := s.ownProduct(), s.behindOurs()
	for i := range s.Streams {
		st := &s.Streams[i]
		if st.Hop == appHop && s.Run.AppAlone(s.Scenario.ID) {
			continue
		}
		q, by := record.ProductOf(st.Header)
		if by != "" && (q == record.EdgeUnknown || q != own) && !(ours && q == record.EdgeNginx) {
			return q, by
		}
	}
	if q := s.ListeningProduct(); q != record.EdgeUnknown {
		h := s.listening()
		return q, "process " + h.Process + " listens at " + h.URL
	}
	for _, l := range s.Run.Logs {
		if q := record.EdgeProduct(l.Kind.Product()); l.Scenario == s.Scenario.ID && q != record.EdgeUnknown &&
			!(ours && q == record.EdgeNginx) {
			return q, "log " + l.Name
		}
	}
	return record.EdgeUnknown, ""
}

// behindOurs reports whether an nginx of ours stands before the URL that we attached
// to: it writes its own Server field over another's.
func (s *Scope) behindOurs() bool {
	return s.Run.Attached() && s.Scenario.Edge != "" && s.Scenario.Edge != "none" &&
		slices.ContainsFunc(s.Run.Hops, func(h record.Hop) bool {
			return h.Scenario == s.Scenario.ID && h.Name == record.NginxHop
		})
}

// ListeningProduct is the product of the process that listens at a URL that we
// attached to.
func (s *Scope) ListeningProduct() record.EdgeProduct {
	h := s.listening()
	return record.ProductNamed(h.Process)
}

func (s *Scope) listening() record.Hop {
	for _, h := range s.Run.Hops {
		if h.Scenario == s.Scenario.ID && h.Name != record.NginxHop && record.ProductNamed(h.Process) != record.EdgeUnknown {
			return h
		}
	}
	return record.Hop{}
}

// ownProduct is what the app calls itself when it is asked directly: a PHP app
// may well be an Apache.
func (s *Scope) ownProduct() record.EdgeProduct {
	if !s.Run.AppAlone(s.Scenario.ID) {
		return record.EdgeUnknown
	}
	for i := range s.Streams {
		if st := &s.Streams[i]; st.Hop == appHop {
			if p, _ := record.ProductOf(st.Header); p != record.EdgeUnknown {
				return p
			}
		}
	}
	return record.EdgeUnknown
}

// labelOf is how a hop at which a foreign edge answers is called; "" for hops
// whose name says it.
func (s *Scope) labelOf(hop string) string {
	if hop != record.ForeignHop && !(hop == record.NginxHop && s.Run.Attached()) {
		return ""
	}
	p, _ := s.EdgeProduct()
	return p.String()
}

// Name is how a reader knows the hop.
func (r *HopReport) Name() string { return cmp.Or(r.Label, r.Hop) }
