package diagnose

import (
	"fmt"
	"net/url"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// redirected names streams that ended with a redirect instead of an answer.
type redirected struct{}

func (redirected) match(v *view) []*finding {
	var fs []*finding
	add := func(why []record.Unfollowed, make func(r *record.Redirect, gs []*verdict.Graded) *finding) {
		gs := v.take(func(g *verdict.Graded) bool { return unfollowed(g, why...) })
		if len(gs) == 0 {
			return
		}
		f := make(gs[0].Unfollowed(), gs).see(redirectLines(gs[0])).show(v.lastWord(gs[0])).show(v.accessLine(gs[0]))
		fs = append(fs, f)
		v.explain(f)
	}
	add([]record.Unfollowed{record.RedirectLoop, record.TooManyRedirects},
		func(r *record.Redirect, gs []*verdict.Graded) *finding {
			return found(RedirectLoop, layerApp, likely, gs).
				say("%d streams were sent from one place to the next and got no answer: after %d redirects %d to %s", len(gs),
					record.MaxRedirects, r.Status, r.Location).
				not(OutlivesResources, "no answer was begun").
				mend("a login page in the way: send the credentials (--header 'Authorization: Bearer ${TOKEN}', or Cookie); http " +
					"to https behind an edge: let the edge send X-Forwarded-Proto and the app trust it; a slash at the end: ask for " +
					"the path that the app knows")
		})
	add([]record.Unfollowed{record.HostNotAllowed}, func(r *record.Redirect, gs []*verdict.Graded) *finding {
		host := (&url.URL{Host: r.Host}).Hostname()
		return found(RedirectedAway, layerHarness, certain, gs).
			say("%d streams were redirected to host %s, to which load may not go", len(gs), host).
			not(OutlivesResources, "no answer was begun").
			mend("if it is yours, add --allow-host " + host + " (allow_hosts in the file); if it is the name of a service " +
				"inside, let the app redirect to a path, or build the URL from the Host header").
			settle(v.rerun("--allow-host " + host))
	})
	add([]record.Unfollowed{record.NoLocation, record.BadLocation},
		func(r *record.Redirect, gs []*verdict.Graded) *finding {
			return found(BrokenRedirect, layerApp, certain, gs).
				say("%d streams got status %d with no Location that can be followed", len(gs), r.Status).
				mend("send the Location of the stream, or no redirect")
		})
	add([]record.Unfollowed{record.FollowingOff}, func(r *record.Redirect, gs []*verdict.Graded) *finding {
		return found(NotFollowed, layerHarness, certain, gs).
			say("%d streams were redirected (%d to %s), and redirects are not followed in this run", len(gs), r.Status,
				r.Location).
			mend("leave --no-follow (stream.no_follow) out, or ask for it at once: --path " + r.Location)
	})
	return fs
}

func unfollowed(g *verdict.Graded, why ...record.Unfollowed) bool {
	r := g.Unfollowed()
	for _, w := range why {
		if r != nil && r.Unfollowed == w && g.Grade.Ending == verdict.RedirectEnd {
			return true
		}
	}
	return false
}

// redirectLines shows the chain, its middle left out where it is long.
func redirectLines(g *verdict.Graded) []string {
	const ends = 2
	var lines []string
	for i, r := range g.Redirects {
		if i >= ends && i < len(g.Redirects)-ends {
			continue
		}
		lines = append(lines, fmt.Sprintf("stream %d, redirect %d of %d, after %.3f s: %d to %s", g.Seq, i+1,
			len(g.Redirects), (r.At-startOf(g)).Seconds(), r.Status, r.Location))
	}
	return lines
}
