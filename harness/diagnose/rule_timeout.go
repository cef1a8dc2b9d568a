package diagnose

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/verdict"
)

// readTimeout (D1) explains cuts by the edge's own timer between two reads.
type readTimeout struct{}

func (readTimeout) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return (g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated) && v.edge.mayPass(g) && g.End-lastBytes(g) >= minSilence
	})
	if len(gs) == 0 {
		return nil
	}
	if hits := v.tags[upstreamTimeout]; len(hits) > 0 {
		return v.timedOut(v.near(gs, hits), certain, hits)
	}
	c, ok := of(Clusters(gs), SinceLast)
	matches := v.edge.timeout > 0 && v.fits(gs)
	switch {
	case v.edgeSpeaks():
		return nil // it would have said so
	case matches:
		return v.timedOut(gs, likely, nil)
	case ok && c.Tightness <= tight && !v.appSpeaks() && !v.together(gs):
		return v.timedOut(gs, possible, nil)
	}
	return nil
}

// near keeps the streams that one of the lines may be about.
func (v *view) near(gs []*verdict.Graded, hits []hit) []*verdict.Graded {
	var out []*verdict.Graded
	for _, g := range gs {
		for _, h := range hits {
			if h.near(g.End) {
				out = append(out, g)
				break
			}
		}
	}
	return out
}

// fits reports whether every silence before an end is the edge's timeout. nginx
// fires up to 0.3 s early (TAXONOMY section 2).
func (v *view) fits(gs []*verdict.Graded) bool {
	for _, g := range gs {
		silence := g.End - lastBytes(g)
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
	silence := (gs[0].End - lastBytes(gs[0])).Seconds()
	f := found(ProxyReadTimeout, "D1", layerEdge, confidence, gs).
		say("the edge cut %d streams that were silent for %.2f s", len(gs), silence).
		see(cite(hits, 4)...).see(silenceLine(gs), v.accessLine(gs[0])).
		notIf(len(v.tags[workerTimedOut]) == 0 && v.appSpeaks(), "blocked event loop → worker timeout", "no WORKER TIMEOUT in the app's log").
		mend("send a heartbeat comment (\": ping\") every third of the timeout; and: location /stream { proxy_read_timeout 1h; }")
	if v.edge.timeout > 0 {
		f.see(fmt.Sprintf("proxy_read_timeout is %v", v.edge.timeout))
	}
	fs := one(f)
	if n := beats(gs); n == 0 {
		fs = append(fs, found(NoHeartbeat, "D7", layerApp, confidence, gs).
			say("%d streams were silent for %.2f s without a heartbeat, which let an idle timer cut them", len(gs), silence).
			see(fmt.Sprintf("0 heartbeats on %d streams", len(gs))).
			mend("while nothing is ready, write a comment (\": ping\\n\\n\") every few seconds"))
	}
	if confidence == possible {
		for _, f := range fs {
			f.settle("keep the edge's error log: logs: {nginx_error: /var/log/nginx/error.log}")
		}
	}
	return fs
}

func silenceLine(gs []*verdict.Graded) string {
	if c, ok := of(Clusters(gs), SinceLast); ok {
		return c.String()
	}
	return fmt.Sprintf("stream %d ended %.2f s after its last byte", gs[0].Seq, (gs[0].End - lastBytes(gs[0])).Seconds())
}

func beats(gs []*verdict.Graded) int {
	n := 0
	for _, g := range gs {
		n += g.Heartbeats
	}
	return n
}
