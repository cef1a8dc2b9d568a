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
		return unsure(name, "name the place of a number that grows by 1 with each event",
			"the number at %s counts no events in %d of %d complete streams: it never increases by 1",
			place, same, n).obliges()
	case counted < n:
		return unsure(name, "look at one event, and name the place where its number stands",
			"need a number at %s in >= 2 events of each complete stream, saw that in %d of %d",
			place, counted, n).obliges()
	}
	return pass(name, "%d complete streams, numbered without a gap", n).obliges()
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
		return unsure(name, "let the app echo the header X-Request-ID there; or send the ID where the app echoes it, with "+
			"{nonce} in path, headers or body",
			"need the request's ID at %s in >= 1 event of each complete stream, saw that in %d of %d", place, echoed,
			n).obliges()
	}
	return pass(name, "%d complete streams have their own request's ID and no other", n).obliges()
}

// wholes visits the complete streams of the load.
func (s *Scope) wholes(visit func(*Graded)) {
	for i := range s.Streams {
		if g := &s.Streams[i]; g.Grade.Outcome == Complete && g.Group != record.Baseline {
			visit(g)
		}
	}
}
