package diagnose

import (
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
		f := make(gs[0].Unfollowed(), gs).see(redirectLines(gs[0])...).show(v.lastWord(gs[0])).show(v.accessLine(gs[0]))
		fs = append(fs, f)
		v.explain(f)
	}
	add([]record.Unfollowed{record.RedirectLoop, record.TooManyRedirects},
		func(r *record.Redirect, gs []*verdict.Graded) *finding {
			return found(RedirectLoop, layerApp, likely, gs).
				tell(fact{Kind: FactRedirectLoop, N: len(gs), Of: record.MaxRedirects, Need: r.Status,
					Text: r.Location}).
				not(OutlivesResources, fact{Kind: NotAnswerBegun}).
				mend(fact{Kind: MendRedirectLoop})
		})
	add([]record.Unfollowed{record.HostNotAllowed}, func(r *record.Redirect, gs []*verdict.Graded) *finding {
		host := (&url.URL{Host: r.Host}).Hostname()
		return found(RedirectedAway, layerHarness, certain, gs).
			tell(fact{Kind: FactRedirectedAway, N: len(gs), Name: host}).
			not(OutlivesResources, fact{Kind: NotAnswerBegun}).
			mend(fact{Kind: MendAllowHost, Name: host}).
			settle(v.rerun("--allow-host " + host))
	})
	add([]record.Unfollowed{record.NoLocation, record.BadLocation},
		func(r *record.Redirect, gs []*verdict.Graded) *finding {
			return found(BrokenRedirect, layerApp, certain, gs).
				tell(fact{Kind: FactNoLocation, N: len(gs), Need: r.Status}).
				mend(fact{Kind: MendLocation})
		})
	add([]record.Unfollowed{record.FollowingOff}, func(r *record.Redirect, gs []*verdict.Graded) *finding {
		return found(NotFollowed, layerHarness, certain, gs).
			tell(fact{Kind: FactNotFollowed, N: len(gs), Need: r.Status, Text: r.Location}).
			mend(fact{Kind: MendFollow, Text: r.Location})
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
func redirectLines(g *verdict.Graded) []fact {
	const ends = 2
	var lines []fact
	for i, r := range g.Redirects {
		if i >= ends && i < len(g.Redirects)-ends {
			continue
		}
		lines = append(lines, fact{Kind: FactRedirectLine, Stream: g.Seq, N: i + 1, Of: len(g.Redirects),
			Took: r.At - startOf(g), Need: r.Status, Text: r.Location})
	}
	return lines
}
