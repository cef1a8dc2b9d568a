package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// A proxy that closes its own connection to the app ends the answer, whatever the
// app logs then; one that lost it says so in other words, and one that says nothing
// is not accused.
func TestAnEdgeThatGivesUpIsNamed(t *testing.T) {
	for text, named := range map[string]bool{
		`{"level":"error","msg":"aborting with incomplete response","error":"read tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection"}`: true,
		`{"level":"error","msg":"aborting with incomplete response","error":"unexpected EOF"}`:                                                      false,
		`{"level":"info","msg":"handled request"}`: false,
	} {
		b := stranger()
		b.Log(logline.Caddy)
		b.Run.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000"}
		for i := range 8 {
			sh := synth.Shape{Mute: true, Events: 20, Start: time.Duration(i) * 130 * ms}
			if i == 3 {
				sh.Keep, sh.End = 5, synth.Clean
			}
			b.Add(1, sh)
			s := &b.Run.Streams[i]
			s.Header = map[string]string{"Server": "Caddy"}
			if i == 3 {
				line(b, 0, s.End-ms, text)
			}
		}
		causes := toldOf(b)
		if got := len(causes) > 0 && causes[0].Cause == diagnose.CutByEdge && causes[0].Confidence == "certain"; got != named {
			t.Errorf("%s\n%s", text, evidence(causes))
		}
	}
}

// A 503 that the edge made itself was not the app's word; one of the app's own is.
func TestWhosePageAnErrorIs(t *testing.T) {
	wants := map[string]string{"Varnish": diagnose.HTTPFailure, "gunicorn": diagnose.Overloaded, "": diagnose.Overloaded}
	for server, want := range wants {
		b := stranger()
		for i := range 8 {
			b.Add(1, synth.Shape{Mute: true, Events: 20, Start: time.Duration(i) * 130 * ms})
			b.Run.Streams[i].Header = map[string]string{"Server": "gunicorn", "Via": "1.1 varnish (Varnish/7.1)"}
		}
		b.Add(1, synth.Shape{Mute: true, End: synth.Status(503)})
		b.Run.Streams[8].Header = map[string]string{"Server": server, "Via": "1.1 varnish (Varnish/7.1)"}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != want {
			t.Errorf("Server %q: want %s\n%s", server, want, evidence(causes))
		}
		if edge := strings.Contains(evidence(causes), "Varnish itself"); edge != (server == "Varnish") {
			t.Errorf("Server %q:\n%s", server, evidence(causes))
		}
	}
}

// An edge that finds no address for the name of the app says so in its log, and its page is
// not the app's word, though no stream completed to compare it with.
func TestAnEdgeWithoutAnAddressIsNamed(t *testing.T) {
	for text, named := range map[string]bool{
		`2026/11/28 15:57:56 [error] 9#9: *2 api could not be resolved (3: Host not found), request: "GET /chat HTTP/1.1"`: true,
		`2026/11/28 15:57:56 [notice] 9#9: signal process started`:                                                         false,
	} {
		b := stranger()
		b.Log(record.NginxError)
		for i := range 4 {
			b.Add(1, synth.Shape{Mute: true, Start: time.Duration(i) * 130 * ms, End: synth.Status(502)})
			s := &b.Run.Streams[i]
			s.Header = map[string]string{"Server": "nginx/1.22.1"}
			line(b, 0, s.End-ms, text)
		}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != diagnose.HTTPFailure {
			t.Fatalf("%s\n%s", text, evidence(causes))
		}
		if c := causes[0]; (c.Layer == "edge" && c.Confidence == "certain" && strings.Contains(evidence(causes), "could not be resolved")) != named {
			t.Errorf("%s: layer %s, %s\n%s", text, c.Layer, c.Confidence, evidence(causes))
		}
	}
}

// A stream that was sent alone stalls at the same event: no other one blocks it.
func TestStallOfAStreamAloneIsNoBlockedLoop(t *testing.T) {
	for _, alone := range []bool{true, false} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{GapLimit: sec, Checks: checks}})
		b.Run.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000"}
		stalled := synth.Shape{Mute: true, Events: 20, Keep: 4, End: synth.Silent(sec)}
		solo := synth.Shape{Mute: true, Events: 20, Group: record.Solo}
		if alone {
			solo = stalled
			solo.Group = record.Solo
		}
		b.Add(1, solo)
		stalled.Start = 30 * sec
		b.Add(8, stalled)
		causes := toldOf(b)
		if len(causes) == 0 || (causes[0].Cause == diagnose.BlockedLoop) == alone {
			t.Errorf("alone %v:\n%s", alone, evidence(causes))
		}
	}
}
