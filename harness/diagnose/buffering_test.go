package diagnose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Ways in which n pieces of an answer arrive, written 10 ms apart.
func oneByOne(n int) []time.Duration {
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = 5*ms + time.Duration(i)*10*ms
	}
	return at
}

// inGroups holds pieces back until so many are there.
func inGroups(of int) func(n int) []time.Duration {
	return func(n int) []time.Duration {
		at := oneByOne(n)
		for i := range at {
			at[i] = at[min((i/of+1)*of-1, n-1)]
		}
		return at
	}
}

func allAtOnce(n int) []time.Duration { return inGroups(n)(n) }

// A hop is where 8 streams entered, how they arrived there, and one more that asks
// as a browser does.
type pacedHop struct {
	name    string
	pace    func(n int) []time.Duration
	browser func(n int) []time.Duration // pace if nil
	coded   bool                        // to the browser
	asks    bool                        // all ask for gzip, and get it where coded, but for the browser
	joined  bool                        // comes with a Content-Length
}

// peeled is a run of diagnose against an app behind an edge that nobody knows.
func peeled(dialect string, size int, hops ...pacedHop) *synth.Builder {
	b := synth.New(record.Scenario{ID: "peel", Edge: "none", Peel: true, Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Run.Plan.App, b.Run.Plan.Dialect = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8080"}, dialect
	for i, h := range hops {
		b.Run.Hops = slices.Insert(b.Run.Hops, 0, record.Hop{Scenario: "peel", Name: h.name, URL: "http://127.0.0.1"})
		start := time.Duration(i) * 20 * sec
		for j := range 9 {
			sh := synth.Shape{Scenario: "peel", Hop: h.name, Start: start, Mute: true}
			pace := h.pace
			if j == 8 {
				if sh.Group = record.Browser; h.browser != nil {
					pace = h.browser
				}
			}
			seq := b.Add(1, sh)[0]
			s := &b.Run.Streams[seq-1]
			synth.Arrive(s, pace(100+10*j), size, dialect == "text")
			switch {
			case h.asks && j == 8:
				s.AcceptEncoding = verdict.Identity
			case h.asks, j == 8:
				if s.AcceptEncoding = "gzip, deflate, br, zstd"; h.coded {
					s.Encoding = "gzip"
				}
			}
			if h.joined {
				s.Wire.Framing = record.Length
			}
		}
	}
	return b
}

// The hop that holds events back is named by how the same app paces them when it
// is asked directly, and an app that writes in bursts by itself is not blamed.
func TestBufferingByPacing(t *testing.T) {
	live, nginx, whole, burst := pacedHop{name: "app", pace: oneByOne}, pacedHop{name: "proxy", pace: inGroups(27)},
		pacedHop{name: "proxy", pace: allAtOnce}, pacedHop{name: "app", pace: allAtOnce}
	for _, tt := range []struct {
		name       string
		dialect    string
		hops       []pacedHop
		want       string // "" for none
		confidence string
		verdict    verdict.Verdict
	}{
		{name: "nginx's buffer", hops: []pacedHop{live, nginx}, want: diagnose.BufferedByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "wholly", hops: []pacedHop{live, whole}, want: diagnose.BufferedByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "wholly, with a Content-Length", hops: []pacedHop{live, {name: "proxy", pace: allAtOnce, joined: true}}, want: diagnose.BufferedByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "text, wholly", dialect: "text", hops: []pacedHop{live, whole}, want: diagnose.BufferedByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "live", hops: []pacedHop{live, {name: "proxy", pace: oneByOne}}, verdict: verdict.Pass},
		{name: "text, live", dialect: "text", hops: []pacedHop{live, {name: "proxy", pace: oneByOne}}, verdict: verdict.Pass},
		{name: "the app bursts", hops: []pacedHop{burst, whole}, verdict: verdict.Pass},
		{name: "the app bursts, text", dialect: "text", hops: []pacedHop{burst, whole}, verdict: verdict.Pass},
		{name: "the app writes thirty at once", hops: []pacedHop{{name: "app", pace: inGroups(30)}, {name: "proxy", pace: inGroups(30)}}, verdict: verdict.Pass},
		{name: "compressed by the edge, for browsers", hops: []pacedHop{live, {name: "proxy", pace: oneByOne, browser: allAtOnce, coded: true}},
			want: diagnose.GzipByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "compressed by the app, for browsers", hops: []pacedHop{{name: "app", pace: oneByOne, browser: allAtOnce, coded: true},
			{name: "proxy", pace: oneByOne, browser: allAtOnce, coded: true}}, want: diagnose.GzipByApp, confidence: "certain", verdict: verdict.Fail},
		{name: "compressed by the edge, event by event", hops: []pacedHop{live, {name: "proxy", pace: oneByOne, coded: true}}, verdict: verdict.Pass},
		{name: "all ask, the app compresses", hops: []pacedHop{{name: "app", pace: allAtOnce, browser: oneByOne, coded: true, asks: true},
			{name: "proxy", pace: allAtOnce, browser: oneByOne, coded: true, asks: true}}, want: diagnose.GzipByApp, confidence: "certain", verdict: verdict.Fail},
		{name: "all ask, the edge compresses", hops: []pacedHop{{name: "app", pace: oneByOne, asks: true}, {name: "proxy", pace: allAtOnce, browser: oneByOne, coded: true, asks: true}},
			want: diagnose.GzipByEdge, confidence: "certain", verdict: verdict.Fail},
		{name: "all ask, compressed event by event", hops: []pacedHop{{name: "app", pace: oneByOne, asks: true, coded: true}, {name: "proxy", pace: oneByOne, coded: true, asks: true}}, verdict: verdict.Pass},
		{name: "the app joins the body", hops: []pacedHop{{name: "app", pace: allAtOnce, joined: true}, {name: "proxy", pace: allAtOnce, joined: true}},
			want: diagnose.JoinedByApp, confidence: "possible", verdict: verdict.Inconclusive},
		{name: "the app joins the body, the edge hides it", hops: []pacedHop{{name: "app", pace: allAtOnce, joined: true}, whole},
			want: diagnose.JoinedByApp, confidence: "possible", verdict: verdict.Inconclusive},
		{name: "text of a declared length", dialect: "text", hops: []pacedHop{{name: "app", pace: allAtOnce, joined: true}, {name: "proxy", pace: allAtOnce, joined: true}}, verdict: verdict.Pass},
		{name: "nobody asked the app", hops: []pacedHop{whole}, want: diagnose.BufferedByEdge, confidence: "possible", verdict: verdict.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			size := 150
			if tt.dialect == "text" {
				size = 7
			}
			b := peeled(orDefault(tt.dialect, "openai-chat"), size, tt.hops...)
			if r := verdict.Judge(&b.Run); r.Verdict != tt.verdict {
				t.Errorf("verdict %s, want %s: %s", r.Verdict, tt.verdict, r.Why)
			}
			causes := causesOf(b)
			if tt.want == "" {
				if len(causes) > 0 {
					t.Fatalf("causes %q, want none", names(causes))
				}
				return
			}
			if len(causes) != 1 || causes[0].Cause != tt.want || causes[0].Confidence != tt.confidence {
				t.Fatalf("causes %q (%+v), want %q, %s", names(causes), causes, tt.want, tt.confidence)
			}
			if tt.confidence == "certain" && strings.Contains(tt.want, "edge") &&
				!strings.Contains(fmt.Sprint(causes[0].Evidence), "entered at app") {
				t.Errorf("no figures of the app asked directly in %q", causes[0].Evidence)
			}
		})
	}
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
