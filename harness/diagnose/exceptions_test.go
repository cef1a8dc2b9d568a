package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
)

// blames is with which confidence an exception in the app's log is blamed for some of the
// streams, and for how many; "" for none.
func blames(b *synth.Builder) (confidence string, n int) {
	for _, c := range causesOf(b) {
		blamed := c.Cause == diagnose.AppError || c.Cause == diagnose.LaunderedByApp || c.Cause == diagnose.LaunderedByEdge
		if blamed && c.Confidence != "possible" {
			return c.Confidence, c.Count
		}
	}
	return "", 0
}

// raise writes an exception with its traceback that names no stream.
func raise(b *synth.Builder, at time.Duration, place string) {
	for _, text := range []string{"Traceback (most recent call last):", `  File "/srv/` + place + `.py", line 12, in work`,
		"    raise KeyError(name)", "KeyError: 'name'"} {
		line(b, 0, at, text)
	}
}

// An exception that names no stream is held to what others of its kind do: one that stands
// beside bad ends as often as anywhere has nothing to do with them.
func TestExceptionsNearAnEndByAccident(t *testing.T) {
	const cut, whole = 12, 40
	for name, tt := range map[string]struct {
		end  synth.End
		when func(b *synth.Builder, at time.Duration, bad bool)
		want string
		n    int
	}{
		"at each cut, and nowhere else": {end: synth.RST, want: "certain", n: cut,
			when: func(b *synth.Builder, at time.Duration, bad bool) {
				if bad {
					raise(b, at, "answer")
				}
			}},
		"at each early end, and nowhere else": {end: synth.Clean, want: "certain", n: cut,
			when: func(b *synth.Builder, at time.Duration, bad bool) {
				if bad {
					raise(b, at, "answer")
				}
			}},
		"at each end, whole or not": {end: synth.RST,
			when: func(b *synth.Builder, at time.Duration, _ bool) { raise(b, at, "job") }},
		"at each end, whole or not, which are early": {end: synth.Clean,
			when: func(b *synth.Builder, at time.Duration, _ bool) { raise(b, at, "job") }},
		"of a job, beside those of the answers": {end: synth.RST, want: "certain", n: cut,
			when: func(b *synth.Builder, at time.Duration, bad bool) {
				raise(b, at, "job")
				if bad {
					raise(b, at, "answer")
				}
			}},
	} {
		b := stranger()
		app(b)
		type end struct {
			at  time.Duration
			bad bool
		}
		var ends []end
		cutsAndWholes(b, cut, whole, tt.end, func(_ uint64, at time.Duration, bad bool) { ends = append(ends, end{at, bad}) })
		slices.SortFunc(ends, func(a, b end) int { return int(a.at - b.at) })
		for _, e := range ends {
			tt.when(b, e.at, e.bad)
		}
		if got, n := blames(b); got != tt.want || n != tt.n {
			t.Errorf("%s: an exception is blamed %q for %d streams, want %q for %d", name, got, n, tt.want, tt.n)
		}
	}
}

// A job that fails every second is beside every cut, whatever cut it.
func TestExceptionsOfAJobAccuseNobody(t *testing.T) {
	for _, every := range []time.Duration{250 * ms, 700 * ms, 3 * time.Second} {
		b := stranger()
		app(b)
		end := time.Duration(0)
		cutsAndWholes(b, 12, 40, synth.RST, func(_ uint64, at time.Duration, _ bool) { end = max(end, at) })
		for at := every / 2; at < end; at += every {
			raise(b, at, "job")
		}
		if got, n := blames(b); got != "" {
			t.Errorf("every %s: the exceptions of a job are blamed %q for %d streams", every, got, n)
		}
	}
}

// Of a single cut with an exception beside it nobody knows whether that is chance.
func TestAnExceptionBesideASingleCut(t *testing.T) {
	b := stranger()
	app(b)
	b.Add(8, synth.Shape{Events: 40})
	b.Add(1, synth.Shape{Events: 40, Keep: 10, End: synth.RST})
	raise(b, b.Run.Streams[8].End, "answer")
	if got, n := blames(b); got != "likely" || n != 1 {
		t.Errorf("an exception beside a single cut is blamed %q for %d streams, want likely for 1", got, n)
	}
}

// Many streams that end at one moment have one reason, and it is no exception of one request.
func TestAnExceptionBesideAMassCut(t *testing.T) {
	b := stranger()
	app(b)
	b.Add(20, synth.Shape{Events: 40, Keep: 10, End: synth.RST})
	b.Add(20, synth.Shape{Start: 6 * time.Second, Events: 40})
	raise(b, b.Run.Streams[0].End, "answer")
	if got, n := blames(b); got != "" {
		t.Errorf("one exception beside 20 cuts of one moment is blamed %q for %d streams", got, n)
	}
}
