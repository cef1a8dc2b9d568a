package verdict_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// What our links add is told from the streams that went beside them, until the fault
// struck.
func TestLinksKeptUp(t *testing.T) {
	strike := record.Fault{Name: "latency 1s on the edge link", Kind: "latency", Effect: record.Delays,
		Links: []string{"edge"}, MidStream: true}
	weather, process := strike, strike
	weather.MidStream, process.Links = false, nil
	// A fault at active, under n streams that went through the links and n beside them.
	run := func(f record.Fault, n int, through, beside synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) {
			through.Group, beside.Group = record.Victim, record.Control
			b.Add(n, through)
			b.Add(n, beside)
			b.Fault(f, 600*ms, sec)
			b.Scenario(0).Load.Streams = 2 * n
		}
	}
	first := func(d int) synth.Shape { return synth.Shape{First: 100*ms + time.Duration(d)*ms} }
	slow := synth.Shape{First: 2 * sec}
	ask(t, verdict.LinksKeptUp{},
		question{"as fast", run(strike, 20, first(0), first(0)), verdict.Pass, "links times=[0s 20ms 0s 20ms]"},
		question{"within the bound", run(strike, 20, first(20), first(0)), verdict.Pass, "links times=[20ms 20ms 0s 20ms]"},
		question{"beyond it", run(strike, 20, first(21), first(0)), verdict.Inconclusive,
			"links slow times=[21ms 20ms 0s 20ms]"},
		question{"faster", run(strike, 20, first(0), first(50)), verdict.Pass, "links times=[0s 20ms 0s 20ms]"},
		question{"longer gaps", run(strike, 20, synth.Shape{Gap: 80 * ms}, synth.Shape{Gap: 50 * ms}), verdict.Inconclusive,
			"links slow times=[0s 20ms 30ms 20ms]"},
		question{"a pause under the fault", run(strike, 20, synth.Shape{PauseAfter: 15, Pause: sec}, synth.Shape{}),
			verdict.Pass, "links times=[0s 20ms 0s 20ms]"},
		question{"first events under the fault", run(strike, 20, slow, first(0)), silent, ""},
		question{"too few", run(strike, 19, first(500), first(0)), silent, ""},
		question{"weather from the start", run(weather, 20, first(500), first(0)), silent, ""},
		question{"no link", run(process, 20, first(500), first(0)), silent, ""},
		question{"no fault", add(40, synth.Shape{}), silent, ""})
}

// A tenth of a long delay is more than the least bound.
func TestLinksMayAddATenth(t *testing.T) {
	f := record.Fault{Name: "rst", Kind: "rst", Effect: record.Cuts, Links: []string{"edge"}, MidStream: true}
	with := func(through, beside synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) {
			through.Group, beside.Group = record.Victim, record.Control
			b.Add(20, through)
			b.Add(20, beside)
			b.Fault(f, 10*sec, 10*sec)
		}
	}
	ask(t, verdict.LinksKeptUp{},
		question{"a tenth", with(synth.Shape{First: 2190 * ms}, synth.Shape{First: 2 * sec}), verdict.Pass,
			"links times=[190ms 199.97ms 0s 20ms]"},
		question{"more", with(synth.Shape{First: 2300 * ms}, synth.Shape{First: 2 * sec}), verdict.Inconclusive,
			"links slow times=[300ms 199.97ms 0s 20ms]"})
}

// TestLinksAreNotBlamedForTheAppsSpread: an app whose answers take now this long and now
// that gives two groups two medians, whatever the links do.
func TestLinksAreNotBlamedForTheAppsSpread(t *testing.T) {
	f := record.Fault{Name: "latency 1s on the edge link", Kind: "latency", Effect: record.Delays,
		Links: []string{"edge"}, MidStream: true}
	spread := func(more time.Duration) func(*synth.Builder) {
		return func(b *synth.Builder) {
			for i := range 25 {
				d := 100*ms + time.Duration(i)*100*ms
				b.Add(1, synth.Shape{Group: record.Control, First: d})
				b.Add(1, synth.Shape{Group: record.Victim, First: d + 300*ms + more})
			}
			b.Fault(f, 60*sec, 60*sec)
			b.Scenario(0).Load.Streams = 50
		}
	}
	ask(t, verdict.LinksKeptUp{},
		question{"three places further", spread(0), silent, ""},
		question{"all of them later", spread(3 * sec), verdict.Inconclusive, "links slow"})
}
