package verdict

import (
	"fmt"
	"net/url"

	"github.com/streamproof/streamproof/harness/record"
)

// redirectWhy says why a stream ended with a redirect.
func redirectWhy(s *record.Stream) string {
	r := s.Unfollowed()
	if r == nil {
		return fmt.Sprintf("status %d, which is no answer", s.Status)
	}
	switch r.Unfollowed {
	case record.NoLocation:
		return fmt.Sprintf("status %d without a Location", r.Status)
	case record.BadLocation:
		return fmt.Sprintf("status %d with a Location that is no http URL: %q", r.Status, r.Location)
	case record.RedirectLoop:
		return fmt.Sprintf("redirect loop: %d redirects, then again %s", len(s.Redirects)-1, shortOf(r))
	case record.TooManyRedirects:
		return fmt.Sprintf("more than %d redirects, the last one %s", record.MaxRedirects, shortOf(r))
	case record.HostNotAllowed:
		return fmt.Sprintf("redirect %s: load may not go to host %s (--allow-host)", shortOf(r), hostOf(r))
	}
	return fmt.Sprintf("redirect %s, not followed (--no-follow)", shortOf(r))
}

// shortOf is "302 to /login".
func shortOf(r *record.Redirect) string { return fmt.Sprintf("%d to %s", r.Status, r.Location) }

func hostOf(r *record.Redirect) string {
	u := url.URL{Host: r.Host}
	return u.Hostname()
}

// chain says behind which redirects a stream failed, "" for none.
func chain(s *record.Stream) string {
	if len(s.Redirects) == 0 {
		return ""
	}
	return ", after redirect " + shortOf(&s.Redirects[len(s.Redirects)-1])
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
		return unsure(name, "add --allow-host "+hostOf(r)+" if it is yours, or ask for where the stream is",
			"%d of %d streams were redirected to %s, a host that load may not go to (%s)", len(away), len(s.Streams), hostOf(r),
			shortOf(r)).obliges().about(away)
	case followed > 0:
		return pass(name, "%d of %d streams were redirected", followed, len(s.Streams)).obliges()
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
	took := ""
	if first.Headers >= last.At && startOf(first.Stream) != record.Never {
		took = fmt.Sprintf(" (%s of stream %d)", brief((last.At - startOf(first.Stream)).Seconds()), first.Seq)
	}
	return []Doubt{
		{About: "redirects",
			Why: fmt.Sprintf("%d streams were redirected first, %s: their times to the first event include that%s", n,
				shortOf(last), took),
			Settle: "ask for it at once, as clients that know it do: --path " + pathOf(last.Location)}}
}
