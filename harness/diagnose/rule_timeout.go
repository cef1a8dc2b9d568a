package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// readTimeout (D1) explains ends by a timer between two reads: all come after one
// length of silence. Whose it is the edge's log, its settings or the app asked
// directly tell. An edge may end the body as if it were whole (Caddy does), so
// that a clean end speaks for no one.
type readTimeout struct{}

func (readTimeout) match(v *view) []*finding {
	gs := v.unexplainedEnds()
	gs = keep(gs, func(g *verdict.Graded) bool { return silenceOf(g) >= minSilence })
	if len(gs) == 0 {
		return nil
	}
	through := keep(gs, v.edge.mayPass)
	if hits := v.tags[upstreamTimeout]; len(hits) > 0 {
		if logged := v.near(through, hits); len(logged) > 0 {
			return v.timedOut(logged, certain, hits)
		}
	}
	if len(through) > 0 && v.edge.timeout > 0 && v.fits(through) && !v.edgeSpeaks() {
		return v.timedOut(through, likely, nil)
	}
	return v.idle(gs)
}

// idle is for a timer that nothing names: one silence before all ends, where no
// other stream was silent for longer on the same way and went on.
func (v *view) idle(gs []*verdict.Graded) []*finding {
	silence := measureOf(gs, silenceOf)
	switch {
	case !steadySilence(gs) && !v.pausesLonger(gs, silence):
		return nil
	case len(v.beyond(gs, func(g *verdict.Graded) bool { return outlasted(g, silence.center) })) > 0:
		return nil
	case len(gs) < 2, len(gs) < minCluster && (silence.center < time.Second || len(v.unexplainedEnds()) > len(gs)):
		return nil // two cannot disagree
	}
	like := func(g *verdict.Graded) bool { return cameShort(g) && silence.around(silenceOf(g)) }
	switch whose, c := v.ownerOf(gs, like); {
	case whose == ownerApp:
		return one(v.ownIdle(gs, likely, c))
	case whose == ownerEdge:
		return withFirst(v.timedOut(gs, likely, nil), func(f *finding) {
			f.see(c.fact()).not(IdleTimeoutInApp, fact{Kind: NotSilentDirectly})
		})
	case v.edgeSpeaks() && v.edge.known:
		return nil // its log would have told
	case v.together(gs) && !v.alternating(gs):
		return nil // a process that fell silent and was ended
	case !v.edge.there && clean(gs):
		return one(v.ownIdle(gs, possible, c).or(ProxyReadTimeout,
			fact{Kind: MayHiddenEdge, About: []fact{v.noSign()}}))
	}
	return withFirst(v.timedOut(gs, possible, nil), func(f *finding) {
		f.or(IdleTimeoutInApp, fact{Kind: MayGiveUp}).settle(v.settleLayers())
	})
}

// steadySilence reports whether all of gs ended after one length of silence, which
// is longer than they pause otherwise.
func steadySilence(gs []*verdict.Graded) bool {
	silence := measureOf(gs, silenceOf)
	return silence.center >= max(minSilence, 4*usualGapOf(gs)) &&
		silence.within(min(minSilence, silence.center*15/100), 0.05)
}

// pausesLonger reports whether the app asked directly pauses for longer than gs were
// silent, in every answer, and goes on. Then a looser measure does: a busy machine
// tells of an end late.
func (v *view) pausesLonger(gs []*verdict.Graded, silence measure) bool {
	asked := v.askedDirectly(gs)
	if len(asked) == 0 || silence.center < max(minSilence, 4*usualGapOf(gs)) || !silence.within(minSilence, 0.05) {
		return false
	}
	return !slices.ContainsFunc(asked, func(g *verdict.Graded) bool { return !outlasted(g, silence.center) })
}

// outlasted reports whether a stream was silent for clearly longer than that, and
// had bytes again.
func outlasted(g *verdict.Graded, silence time.Duration) bool {
	return g.MaxGap > silence+max(minSilence, silence/10) && g.MaxGapAt+g.MaxGap < g.End-10*time.Millisecond
}

// alternating reports whether the ends lie farther apart than one event that
// ends all streams would have it.
func (v *view) alternating(gs []*verdict.Graded) bool {
	return measureOf(gs, func(g *verdict.Graded) time.Duration { return g.End }).spread > instant
}

// clean reports whether all ends were clean.
func clean(gs []*verdict.Graded) bool {
	for _, g := range gs {
		if g.Grade.Outcome != verdict.Truncated {
			return false
		}
	}
	return true
}

// ownIdle is a timer of the app itself.
func (v *view) ownIdle(gs []*verdict.Graded, confidence string, c comparison) *finding {
	return found(IdleTimeoutInApp, layerApp, confidence, gs).
		tell(fact{Kind: FactOwnIdle, N: len(gs), Took: measureOf(gs, silenceOf).center}).
		see(silenceLine(gs), framingLine(gs[0]), c.fact()).show(v.lastWord(gs[0])).
		notIf(c.convicts(), ProxyReadTimeout, fact{Kind: NotEdgeIdle}).
		settle(v.settleLayers())
}

func keep(gs []*verdict.Graded, which func(*verdict.Graded) bool) []*verdict.Graded {
	var out []*verdict.Graded
	for _, g := range gs {
		if which(g) {
			out = append(out, g)
		}
	}
	return out
}

func withFirst(fs []*finding, change func(*finding)) []*finding {
	if len(fs) > 0 {
		change(fs[0])
	}
	return fs
}

// settleLayers is the command that tells the app's limits from those of what
// stands before it.
func (v *view) settleLayers() fact {
	return v.peel(fact{Kind: WhySameWay})
}

// edgeLogs are where the products write what went wrong, as Debian sets them up.
var edgeLogs = map[record.EdgeProduct]string{record.EdgeNginx: "nginx_error=/var/log/nginx/error.log",
	record.EdgeHAProxy: "haproxy=/var/log/haproxy.log",
	record.EdgeCaddy:   "caddy=/var/log/caddy/caddy.log", record.EdgeEnvoy: "envoy=/var/log/envoy/access.log",
	record.EdgeTraefik:  "traefik=/var/log/traefik/access.log",
	record.EdgeApache:   "apache_error=/var/log/apache2/error.log",
	record.EdgeLighttpd: "lighttpd_error=/var/log/lighttpd/error.log",
	record.EdgeVarnish:  "varnish=/var/log/varnish/varnishlog.txt"}

// keepEdgeLog is how the edge's own word is had.
func (v *view) keepEdgeLog() fact {
	return fact{Kind: NextEdgeLog, Name: v.edge.product.String(), Text: cmp.Or(edgeLogs[v.edge.product], "KIND=PATH")}
}

// near keeps the streams that one of the lines may be about. A line about one
// request is about one stream.
func (v *view) near(gs []*verdict.Graded, hits []hit) []*verdict.Graded {
	hits = slices.Clone(hits)
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(uint64(a.line.At), uint64(b.line.At)) })
	byEnd := slices.Clone(gs)
	slices.SortStableFunc(byEnd, func(a, b *verdict.Graded) int { return cmp.Compare(a.End, b.End) })
	used := make([]bool, len(hits))
	told := make(map[*verdict.Graded]bool)
	for _, g := range byEnd {
		for i, h := range hits {
			if !used[i] && h.near(g.End) && v.notOfAnother(h, g) {
				used[i] = h.once
				told[g] = true
				break
			}
		}
	}
	return keep(gs, func(g *verdict.Graded) bool { return told[g] })
}

// notOfAnother reports whether a line is not known to be about another stream.
func (v *view) notOfAnother(h hit, g *verdict.Graded) bool {
	if !h.once {
		return true
	}
	seq, ok := v.access.whose[lineKey{h.log, h.line.N}]
	return !ok || seq == g.Seq
}

// fits reports whether every silence before an end is the edge's timeout. nginx
// fires up to 0.3 s early.
func (v *view) fits(gs []*verdict.Graded) bool {
	for _, g := range gs {
		silence := silenceOf(g)
		if silence < v.edge.timeout-minSilence || silence > v.edge.timeout+v.edge.timeout/4+minSilence {
			return false
		}
	}
	return true
}

func (v *view) timedOut(gs []*verdict.Graded, confidence string, hits []hit) []*finding {
	if len(gs) == 0 {
		return nil
	}
	silence := measureOf(gs, silenceOf).center
	f := found(ProxyReadTimeout, layerEdge, confidence, gs).
		tell(fact{Kind: FactIdledOut, Name: v.edge.product.String(), N: len(gs), Took: silence,
			About: []fact{asIfWhole(gs)}}).
		show(cite(hits, 4)...).see(silenceLine(gs), v.edge.signed()).show(v.accessLine(gs[0])).
		see(known(limitIdle, silence.Seconds())).
		notIf(v.noWorkerTimeout(), "blocked event loop → worker timeout", fact{Kind: NotWorkerTimeoutInApp})
	if v.edge.timeout > 0 {
		f.see(fact{Kind: FactReadTimeout, Took: v.edge.timeout})
	}
	fs := one(f)
	if n := beats(gs); n == 0 {
		fs = append(fs, found(NoHeartbeat, layerApp, confidence, gs).
			tell(fact{Kind: FactNoHeartbeat, N: len(gs), Took: silence}).
			see(fact{Kind: FactHeartbeatsOn, N: len(gs)}))
	}
	if confidence == possible {
		for _, f := range fs {
			f.settle(v.keepEdgeLog())
		}
	}
	return fs
}

// asIfWhole says that the ends look like successes, where all do.
func asIfWhole(gs []*verdict.Graded) fact {
	if !clean(gs) {
		return fact{}
	}
	return fact{Kind: FactAsIfWhole}
}

// signed says how a foreign edge shows.
func (e edge) signed() fact {
	if e.sign == "" {
		return fact{}
	}
	return fact{Kind: FactEdgeInFront, Text: e.sign}
}

func silenceLine(gs []*verdict.Graded) fact {
	if c, ok := of(Clusters(gs), SinceLast); ok {
		return c.fact()
	}
	return fact{Kind: FactAfterLastByte, Stream: gs[0].Seq, Took: silenceOf(gs[0])}
}

func beats(gs []*verdict.Graded) int {
	n := 0
	for _, g := range gs {
		n += g.Heartbeats
	}
	return n
}
