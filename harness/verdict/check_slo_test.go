package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestObjectives: objectives judge the streams under load, by what was seen of them, and
// are not decided by too few.
func TestObjectives(t *testing.T) {
	for _, c := range []struct {
		name, slo string
		build     func(*synth.Builder)
		want      verdict.Verdict
		says      string
	}{
		{"in time", "first_event p95 < 100ms, gap p99 < 200ms, complete >= 95%", func(b *synth.Builder) {
			loadOf(b, 40, same(6*ms))
		},
			verdict.Pass, `objective met name="first_event p95"`},
		{"too late", "first_event p95 < 5ms", func(b *synth.Builder) { loadOf(b, 40, same(60*ms)) }, verdict.Fail,
			`objective missed name="first_event p95" place="< 5ms"`},
		{"too few", "complete >= 99.9%", func(b *synth.Builder) { loadOf(b, 40, same(6*ms)) }, verdict.Inconclusive,
			`few values need=1000 name="complete" place=">= 99.9%" text="100%" counts=[{stream 40}]`},
		{"one alone does not count", "first_event p50 < 100ms", func(b *synth.Builder) {
			soloOf(b, 5*sec, 5*sec, 5*sec)
			loadOf(b, 4, same(6*ms))
		}, verdict.Pass, ""},
		{"the machine was busy", "first_event p95 < 1s", func(b *synth.Builder) {
			soloOf(b, 5*ms)
			loadOf(b, 20, same(6*sec))
			b.Run.Machine = busyFrom(100*sec, 110*sec)
		}, verdict.Inconclusive, "other programs"},
		{"few a second", "throughput > 1000", func(b *synth.Builder) { loadOf(b, 20, same(6*ms)) }, verdict.Fail,
			`objective missed name="throughput"`},
		{"few a second, while the machine was busy", "throughput > 1000", func(b *synth.Builder) {
			soloOf(b, 5*ms)
			loadOf(b, 20, same(6*sec))
			b.Run.Machine = busyFrom(100*sec, 110*sec)
		}, verdict.Inconclusive, "other programs"},
		{"a busy machine cuts nothing", "complete >= 100%, first_event p95 < 1s", func(b *synth.Builder) {
			loadOf(b, 20, same(6*sec))
			b.Add(1, synth.Shape{Mute: true, Start: 100 * time.Second, Keep: 3, End: synth.FIN})
			b.Run.Machine = busyFrom(100*sec, 110*sec)
		}, verdict.Fail, `objective missed name="complete"`},
		{"none are set", "", func(b *synth.Builder) { loadOf(b, 4, same(6*ms)) }, "", ""},
	} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{SLO: c.slo, GapLimit: time.Minute}})
		c.build(b)
		a := verdict.Objectives{}.Check(&verdict.Scopes(&b.Run)[0])
		if a.Verdict != c.want || !strings.Contains(shown(a.Fact), c.says) {
			t.Errorf("%s: %s %q, want %s %q", c.name, a.Verdict, shown(a.Fact), c.want, c.says)
		}
	}
}
