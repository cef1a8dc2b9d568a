package reports

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// What a fleet has left behind is told with the command that takes it away.
func TestWarnedOfPods(t *testing.T) {
	mend := &record.Fact{Kind: verdict.NextPodsLeft, Name: "streamproof-12", Place: "shop"}
	for want, w := range map[string]verdict.Warning{
		"Kubernetes Job streamproof-12: it was deleted, but 2 pods are left: that is so where a node has gone; " +
			"fix: kubectl delete pod -n shop -l job-name=streamproof-12 --force": {
			Fact: &record.Fact{Kind: verdict.FactPodsLeft, N: 2}, Mend: mend},
		"Kubernetes Job streamproof-12: it was deleted, but whether its pods have gone is not known: no answer; " +
			"fix: kubectl --context 'a b' delete pod -n shop -l job-name=streamproof-12 --force": {
			Fact: &record.Fact{Kind: verdict.FactPodsLeft, Text: "no answer"},
			Mend: &record.Fact{Kind: verdict.NextPodsLeft, Name: "streamproof-12", Place: "shop", Text: "a b"}},
	} {
		w.Layer, w.Setting = "Kubernetes", "Job streamproof-12"
		if got := Warned(w); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
