package verdict

import (
	"net/url"

	"github.com/streamproof/streamproof/harness/record"
)

// redirectWhy says why a stream ended with a redirect.
func redirectWhy(s *record.Stream) fact {
	r := s.Unfollowed()
	if r == nil {
		return fact{Kind: FactNoRedirect, N: s.Status}
	}
	switch r.Unfollowed {
	case record.NoLocation:
		return fact{Kind: FactNoLocation, N: r.Status}
	case record.BadLocation:
		return fact{Kind: FactBadLocation, N: r.Status, Text: r.Location}
	case record.RedirectLoop:
		return fact{Kind: FactRedirectLoop, N: len(s.Redirects) - 1, About: []fact{redirectTo(r)}}
	case record.TooManyRedirects:
		return fact{Kind: FactManyRedirects, N: record.MaxRedirects, About: []fact{redirectTo(r)}}
	case record.HostNotAllowed:
		return fact{Kind: FactHostNotAllowed, Name: hostOf(r), About: []fact{redirectTo(r)}}
	}
	return fact{Kind: FactNotFollowed, About: []fact{redirectTo(r)}}
}

func redirectTo(r *record.Redirect) fact {
	return fact{Kind: FactRedirect, N: r.Status, Text: r.Location}
}

func hostOf(r *record.Redirect) string {
	u := url.URL{Host: r.Host}
	return u.Hostname()
}

// chain is the last redirect behind which a stream failed, none where it met none.
func chain(s *record.Stream) []fact {
	if len(s.Redirects) == 0 {
		return nil
	}
	return []fact{redirectTo(&s.Redirects[len(s.Redirects)-1])}
}

// sentAway reports whether a stream was redirected to where load may not go. That
// is our own bound: [Redirected] says so, and no other check holds it against the
// app.
func sentAway(g *Graded) bool {
	r := g.Unfollowed()
	return r != nil && r.Unfollowed == record.HostNotAllowed
}

// Redirected asks whether redirects led out of where load may go: nothing is known
// about the answer then.
type Redirected struct{}

func (Redirected) Check(s *Scope) Answer {
	const name = "redirects could be followed"
	followed, away := 0, []*Graded{}
	for i := range s.Streams {
		g := &s.Streams[i]
		switch {
		case sentAway(g):
			away = append(away, g)
		case len(g.Redirects) > 0 && g.Unfollowed() == nil:
			followed++
		}
	}
	switch {
	case len(away) > 0:
		r := away[0].Unfollowed()
		why := fact{Kind: FactSentAway, N: len(away), Of: len(s.Streams), Name: hostOf(r), About: []fact{redirectTo(r)}}
		return unsure(name, fact{Kind: NextAllowHost, Name: hostOf(r)}, why).obliges().about(away)
	case followed > 0:
		return pass(name, fact{Kind: FactRedirected, N: followed, Of: len(s.Streams)}).obliges()
	}
	return Answer{}
}

// pathOf is the path and query of a Location.
func pathOf(location string) string {
	if u, err := url.Parse(location); err == nil && u.Host != "" {
		return u.RequestURI()
	}
	return location
}

// redirectDoubts say what redirects cost.
func (s *Scope) redirectDoubts() []Doubt {
	n := 0
	var first *Graded
	for i := range s.Streams {
		if g := &s.Streams[i]; len(g.Redirects) > 0 && g.Unfollowed() == nil {
			if n++; first == nil {
				first = g
			}
		}
	}
	if n == 0 {
		return nil
	}
	last := &first.Redirects[len(first.Redirects)-1]
	cost := fact{Kind: FactRedirectCost, N: n, About: []fact{redirectTo(last)}}
	if first.Headers >= last.At && startOf(first.Stream) != record.Never {
		cost.Took, cost.Stream = last.At-startOf(first.Stream), first.Seq
	}
	return []Doubt{doubtOn("redirects", cost, fact{Kind: NextPath, Text: pathOf(last.Location)})}
}
