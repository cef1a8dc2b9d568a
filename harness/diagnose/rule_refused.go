package diagnose

import (
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// refused explains streams that got no answer, or only an error status.
type refused struct{}

func (refused) match(v *view) []*finding {
	var fs []*finding
	rules := []func(*view) *finding{headerTimedOut, deployGap, edgeFull, unresolvedName, limitedByEdge, notReached, shed,
		ownError, notPassedOn, otherStatus, noAnswer}
	for _, find := range rules {
		if f := find(v); f != nil {
			fs = append(fs, f)
			v.explain(f)
		}
	}
	return fs
}

func withStatus(codes ...int) func(*verdict.Graded) bool {
	return func(g *verdict.Graded) bool {
		if g.Grade.Outcome == verdict.Complete {
			return false
		}
		for _, c := range codes {
			if g.Status == c {
				return true
			}
		}
		return false
	}
}

// headerTimedOut is D2.
func headerTimedOut(v *view) *finding {
	gs := v.take(withStatus(504, 524))
	late := v.near(gs, v.tags[unreachable]) // before any request was sent
	gs = slices.DeleteFunc(gs, func(g *verdict.Graded) bool { return slices.Contains(late, g) })
	confidence := likely
	// Apache answers 502 and Varnish 503; lighttpd has one line for both timeouts.
	hits := v.tags[headerTimeout]
	if said := v.near(gs, v.tags[upstreamTimeout]); len(hits) == 0 && len(said) > 0 && len(said) == len(gs) {
		hits = v.tags[upstreamTimeout]
	}
	if len(hits) > 0 {
		confidence = certain
		gs = append(gs, v.near(v.take(withStatus(502)), v.tags[noneLive])...)
		gs = append(gs,
			v.near(slices.DeleteFunc(v.take(withStatus(502, 503)), func(g *verdict.Graded) bool {
				return slices.Contains(gs, g)
			}), hits)...)
	} else if v.edgeSpeaks() || v.direct.answered(504, 524) {
		return nil
	} else { // an app without an edge gives up by itself
		gs = keep(gs, v.edge.mayPass)
	}
	if len(gs) == 0 {
		return nil
	}
	return found(ProxyHeaderTimeout, layerEdge, confidence, gs).
		tell(fact{Kind: FactNoHeadInTime, Name: v.edge.product.String(), N: len(gs)}).
		show(cite(hits, 3)...).show(cite(v.tags[noneLive], 2)...).see(say(gs[0])).show(v.accessLine(gs[0])).
		not("proxy read timeout", fact{Kind: NotHead})
}

// deployGap is E6.
func deployGap(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Refused && strings.Contains(g.Wire.Err, "refused")
	})
	confidence := certain
	if hits := v.tags[connectRefused]; len(hits) > 0 {
		gs = append(gs, v.near(v.take(withStatus(502, 503)), hits)...)
		gs = append(gs, v.near(slices.DeleteFunc(v.take(withStatus(502, 503)), func(g *verdict.Graded) bool {
			return slices.Contains(gs, g)
		}), v.tags[noneLive])...) // not even tried, after those
	}
	if len(gs) == 0 {
		return nil
	}
	return found(DeployGap, layerApp, confidence, gs).
		tell(fact{Kind: FactNothingListened, N: len(gs)}).
		show(cite(v.tags[connectRefused], 3)...).see(say(gs[0])).see(v.exits(3)...).
		not("a cut stream", fact{Kind: NotBegunAtAll}).
		mend(fact{Kind: MendStartFirst})
}

// exits lists what processes and containers did.
func (v *view) exits(n int) []fact {
	var out []fact
	for _, d := range v.deaths.shared {
		if d.kind == diedByExit || d.kind == diedByKill || d.kind == diedByTerm {
			out = append(out, d.told())
		}
	}
	return out[:min(n, len(out))]
}

// shed is H4 and H5.
func shed(v *view) *finding {
	ownPage := v.ownPages()
	gs := v.take(func(g *verdict.Graded) bool {
		return withStatus(429, 503)(g) && builtIn(g) == record.EdgeUnknown && (g.Status == 429 || !ownPage(g))
	})
	if len(gs) == 0 {
		return nil
	}
	confidence := likely
	said := v.limitSaid(gs)
	if len(v.tags[concurrencyLimit]) > 0 || len(said) > 0 || gs[0].Status == 429 {
		confidence = certain
	}
	return found(Overloaded, layerApp, confidence, gs).
		tell(fact{Kind: FactTurnedAway, N: len(gs), Need: gs[0].Status}).
		show(cite(v.tags[concurrencyLimit], 3)...).show(cite(said, 2)...).
		see(say(gs[0]), v.words(gs[0])).show(v.accessLine(gs[0])).
		not("a cut stream", fact{Kind: NotCutRefused}).
		mend(fact{Kind: MendShedding})
}

// edgeFull is H1.
func edgeFull(v *view) *finding {
	gs := v.near(v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Refused || g.Status == 503 && g.Grade.Outcome != verdict.Complete
	}), v.tags[connectionsFull])
	files := v.noFilesAtEdge()
	rest := v.take(func(g *verdict.Graded) bool {
		return (g.Grade.Outcome == verdict.Refused || withStatus(500, 502, 503)(g)) && !slices.Contains(gs, g)
	})
	gs = append(gs, v.near(rest, files)...)
	if len(gs) == 0 {
		return nil
	}
	return found(EdgeFull, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgeFull, Name: v.edge.product.String(), N: len(gs)}).
		show(cite(v.tags[connectionsFull], 3)...).show(cite(files, 2)...).see(say(gs[0]))
}

// unresolvedName is for requests that the edge could not pass on: by its own log it found
// no address for the name of the app.
func unresolvedName(v *view) *finding {
	gs := v.near(v.take(withStatus(500, 502, 503)), v.tags[unresolved])
	if len(gs) == 0 {
		return nil
	}
	edge := v.edge.product.String()
	return found(HTTPFailure, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgeAnswered, Name: edge, N: len(gs), Need: gs[0].Status}).
		show(cite(v.tags[unresolved], 3)...).see(say(gs[0])).
		not(Overloaded, fact{Kind: NotAnsweredByApp}).
		mend(fact{Kind: MendUpstreamName, Name: edge})
}

// limitedByEdge is for requests that the edge turned away by a limit or a rule of its own,
// by its own log.
func limitedByEdge(v *view) *finding {
	gs := v.near(v.take(func(g *verdict.Graded) bool {
		return g.Status >= 400 && g.Grade.Outcome != verdict.Complete
	}), v.tags[edgeRefused])
	if len(gs) == 0 {
		return nil
	}
	edge := v.edge.product.String()
	return found(HTTPFailure, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgePage, Name: edge, N: len(gs), Need: gs[0].Status}).
		show(cite(v.tags[edgeRefused], 3)...).see(say(gs[0])).show(v.accessLine(gs[0])).
		not(Overloaded, fact{Kind: NotAnsweredByApp}).
		mend(fact{Kind: MendEdgeLimit, Name: edge})
}

// notReached is for requests that the edge could not pass on: by its own log its
// connection to the app was not answered, or found no way there.
func notReached(v *view) *finding {
	gs := v.near(v.take(withStatus(502, 503, 504)), v.tags[unreachable])
	if len(gs) == 0 {
		return nil
	}
	edge := v.edge.product.String()
	return found(HTTPFailure, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgeAnswered, Name: edge, N: len(gs), Need: gs[0].Status}).
		show(cite(v.tags[unreachable], 3)...).see(say(gs[0])).show(v.accessLine(gs[0])).
		not(Overloaded, fact{Kind: NotAnsweredByApp}).
		mend(fact{Kind: MendWayToApp, Name: edge})
}

// ownPages tells error pages that the edge made itself, where that shows: the edge
// names itself as the server of such a page, and complete responses name another.
func (v *view) ownPages() func(*verdict.Graded) bool {
	type named struct {
		hop    string
		server record.EdgeProduct
	}
	whole := map[named]bool{}
	byHop := map[string]int{} // different servers of complete responses
	for i := range v.Streams {
		g := &v.Streams[i]
		n := named{g.Hop, record.ProductNamed(g.Header[serverField])}
		if g.Grade.Outcome == verdict.Complete && g.Header[serverField] != "" && !whole[n] {
			whole[n] = true
			byHop[g.Hop]++
		}
	}
	return func(g *verdict.Graded) bool {
		n := named{g.Hop, record.ProductNamed(g.Header[serverField])}
		return g.Grade.Outcome != verdict.Complete && n.server != record.EdgeUnknown && byHop[g.Hop] > 0 && !whole[n]
	}
}

// serverField names the software that answered (RFC 9110 section 10.2.4).
const serverField = "Server"

// ownError is for error pages that the edge made itself, and says nothing why.
func ownError(v *view) *finding {
	ownPage := v.ownPages()
	gs := v.take(func(g *verdict.Graded) bool {
		return withStatus(500, 502, 503)(g) && ownPage(g) ||
			withStatus(429, 500, 502, 503, 504)(g) && builtIn(g) != record.EdgeUnknown
	})
	if len(gs) == 0 {
		return nil
	}
	server := gs[0].Header[serverField]
	product := record.ProductNamed(server)
	if p := builtIn(gs[0]); p != record.EdgeUnknown {
		product = p
	}
	edge := product.String()
	f := found(HTTPFailure, layerEdge, likely, gs).
		tell(fact{Kind: FactEdgeAnswered, Name: edge, N: len(gs), Need: gs[0].Status}).
		see(say(gs[0]), v.words(gs[0])).show(v.accessLine(gs[0])).
		not(Overloaded, fact{Kind: NotAnsweredByApp}).
		settle(v.peel(fact{Kind: WhyWhichRefuses}))
	if ownPage(gs[0]) {
		f.see(fact{Kind: FactServerField, Stream: gs[0].Seq, Name: server})
	}
	if gs[0].Status == 429 {
		return f.mend(fact{Kind: MendEdgeLimit, Name: edge})
	}
	return f.or(DeployGap, fact{Kind: MayNotListen}).mend(fact{Kind: MendKeepAlive, Name: edge})
}

// builtInPages are what stands in the error pages that an edge has built in and sends where
// it answers by itself, by its product (nginx, ngx_http_special_response.c; its descendants
// put their names there; HAProxy, http.c; Envoy, utility.cc and router.cc).
var builtInPages = []struct {
	product record.EdgeProduct
	start   bool // of the page: others may quote it
	unnamed bool // the response has no Server field
	text    string
}{
	{record.EdgeNginx, false, false, "<center>nginx"},
	{record.EdgeNginx, false, false, "<center>openresty"},
	{record.EdgeHAProxy, true, true, "<html><body><h1>503 Service Unavailable</h1> No server is available"},
	{record.EdgeHAProxy, true, true, "<html><body><h1>502 Bad Gateway</h1> The server returned an invalid"},
	{record.EdgeHAProxy, true, true, "<html><body><h1>504 Gateway Time-out</h1> The server didn't respond"},
	{record.EdgeEnvoy, true, false, "no healthy upstream"},
	{record.EdgeEnvoy, true, false, "upstream connect error or disconnect/reset before headers"},
}

// builtIn is the product that answered by itself, by the page that came; unknown where the
// page is nobody's.
func builtIn(g *verdict.Graded) record.EdgeProduct {
	page := strings.Join(strings.Fields(g.Content.ErrorText), " ")
	server := g.Header[serverField]
	for _, p := range builtInPages {
		if at := strings.Index(page, p.text); at < 0 || p.start && at > 0 {
			continue
		}
		if p.unnamed && server == "" || !p.unnamed && record.ProductNamed(server) == p.product {
			return p.product
		}
	}
	return record.EdgeUnknown
}

// notPassedOn is for requests that the edge turned away by itself, by the page that came:
// it found no way to the app for them, and the app never saw them.
func notPassedOn(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool { return withStatus(403, 404, 405)(g) && builtIn(g) != record.EdgeUnknown })
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	product := builtIn(g)
	f := found(HTTPFailure, layerEdge, likely, gs).
		tell(fact{Kind: FactEdgePage, Name: product.String(), N: len(gs), Need: g.Status}).
		see(say(g), v.words(g)).show(v.accessLine(g))
	if v.ownPages()(g) {
		f.see(fact{Kind: FactServerField, Stream: g.Seq, Name: g.Header[serverField]})
	}
	r := v.refusal(g)
	return f.mend(fact{Kind: MendPassOn, Name: product.String(), Text: r.Path, About: []fact{r.Fact()}})
}

func otherStatus(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool { return g.Status >= 400 && g.Grade.Outcome != verdict.Complete })
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	f := found(HTTPFailure, layerApp, likely, gs).
		tell(fact{Kind: FactErrorStatus, N: len(gs), Need: g.Status}).
		see(say(g), v.words(g)).show(v.accessLine(g), v.lastWord(g)).show(cite(v.tags[exception],
		2)...).show(cite(v.tags[headClosed], 2)...).show(cite(v.limitSaid(gs), 2)...)
	if g.Status < 500 {
		return f.mend(v.refusal(g).Fact())
	}
	return f.mend(fact{Kind: MendCheckRequest})
}

func noAnswer(v *view) *finding {
	gs := v.with(verdict.Refused)
	if len(gs) == 0 {
		return nil
	}
	f := found(NoAnswer, layerNetwork, possible, gs).
		tell(fact{Kind: FactNoHead, N: len(gs), Name: string(gs[0].Grade.Ending)}).
		see(say(gs[0])).show(cite(v.tags[headClosed], 2)...).show(cite(v.tags[noFiles], 2)...).see(v.exits(3)...).
		mend(fact{Kind: MendLookForAccepts})
	if gs[0].Limit == record.HeadersLimit || gs[0].Limit == record.ConnectLimit {
		f.see(fact{Kind: FactStoodWithoutHead, Took: gs[0].End - startOf(gs[0])})
	}
	if ms := v.matchDeaths(gs, diedByException, diedByKill, diedByExit); len(ms) == len(gs) {
		f.Confidence = likely
		return f.show(causesOfDeath(ms, 4)...)
	}
	return f.settle(v.peel(fact{Kind: WhyWhichRefuses}))
}
