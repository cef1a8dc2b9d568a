package verdict

import "github.com/streamproof/streamproof/harness/record"

// Ordered asks whether the numbers that the user says events bear were there: a
// proof that never began proves nothing.
type Ordered struct{}

func (Ordered) Check(s *Scope) Answer {
	const name = "order of events proved"
	place := s.Run.Plan.Request.Order
	if place == "" {
		return Answer{}
	}
	n, counted, same := 0, 0, 0
	s.wholes(func(g *Graded) {
		n++
		switch {
		case g.Content.Uncounted:
			same++
		case g.Content.Numbered > 1 || g.Content.Numbered == 1 && g.Contents == 1:
			counted++
		}
	})
	switch {
	case n == 0:
		return Answer{}
	case same > 0:
		return unsure(name, next(NextGrowingNumber), fact{Kind: FactUncounted, Place: place, N: same, Of: n}).obliges()
	case counted < n:
		return unsure(name, next(NextPlaceOfNumber), fact{Kind: FactUnnumbered, Place: place, N: counted, Of: n}).obliges()
	}
	return pass(name, fact{Kind: FactNumbered, N: n}).obliges()
}

// Owned asks whether the request's ID came back: where it never does, foreign
// content cannot be told from the stream's own.
type Owned struct{}

func (Owned) Check(s *Scope) Answer {
	const name = "owner of events proved"
	place := s.Run.Plan.Request.Owner
	if place == "" {
		return Answer{}
	}
	n, echoed := 0, 0
	s.wholes(func(g *Graded) {
		if n++; g.Content.Echoed > 0 {
			echoed++
		}
	})
	switch {
	case n == 0:
		return Answer{}
	case echoed < n:
		return unsure(name, next(NextEcho), fact{Kind: FactNotEchoed, Place: place, N: echoed, Of: n}).obliges()
	}
	return pass(name, fact{Kind: FactOwned, N: n}).obliges()
}

// wholes visits the complete streams of the load.
func (s *Scope) wholes(visit func(*Graded)) {
	for i := range s.Streams {
		if g := &s.Streams[i]; g.Grade.Outcome == Complete && g.Group != record.Baseline {
			visit(g)
		}
	}
}
