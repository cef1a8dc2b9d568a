package reports

import (
	"cmp"
	"fmt"

	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// saidOfSettings are the sentences of package lint.
var saidOfSettings = map[record.FactKind]sentence{
	lint.FactSilenceCuts: func(f *record.Fact) string {
		return fmt.Sprintf("streams are silent for %v: %s ends them after %v unless heartbeats carry them",
			f.Took, f.Name, f.Bound)
	},
	lint.MendSilence: func(f *record.Fact) string {
		return fmt.Sprintf("send a heartbeat at least every %v while silent, or raise %s above %v", f.Took, f.Name, f.Bound)
	},
	lint.FactLifeCuts: func(f *record.Fact) string {
		return fmt.Sprintf("streams last %v: %s ends every stream after %v, also while it flows", f.Took, f.Name, f.Bound)
	},
	lint.MendRaise: func(f *record.Fact) string { return "raise " + f.Name },
	lint.MendAsync: plain("gunicorn -k uvicorn.workers.UvicornWorker (or -k gthread): a sync worker cannot stream for " +
		"longer than --timeout"),
	lint.FactDrainCuts: func(f *record.Fact) string {
		return fmt.Sprintf("streams last %v: a restart leaves them %v and cuts the rest", f.Took, f.Bound)
	},
	lint.MendDrain: func(f *record.Fact) string {
		return fmt.Sprintf("raise %s above %v, or let clients resume", f.Name, f.Bound)
	},
	lint.FactRecycles: func(f *record.Fact) string {
		return fmt.Sprintf("a worker that has had %s requests stops feeding its watchdog: its streams are cut between %v "+
			"and %v later, and some last %v", f.Name, f.Times[0], f.Times[1], f.Took)
	},
	lint.MendRecycling: plain("gunicorn --max-requests 0, or a --timeout of more than twice the longest stream"),
	lint.FactRefusesRest: func(f *record.Fact) string {
		return fmt.Sprintf("%s at a time are asked for: the rest is answered with 503", count(f.N, "stream"))
	},
	lint.MendConcurrent: func(f *record.Fact) string {
		return fmt.Sprintf("uvicorn --limit-concurrency %d, or fewer streams", f.N)
	},
	lint.FactQueues: func(f *record.Fact) string {
		return fmt.Sprintf("a sync worker serves one stream at a time: of %s %d wait for others to end", count(f.N, "stream"),
			f.Of)
	},
	lint.MendThreads: plain("gunicorn -k uvicorn.workers.UvicornWorker, or -k gthread --threads N"),
	lint.FactRaisedAlone: func(f *record.Fact) string {
		return fmt.Sprintf("%s was raised to %v, and %s still ends streams after %v", f.Name, f.Bound, f.Place, f.Took)
	},
	lint.MendRaiseToo: func(f *record.Fact) string { return "raise " + f.Place + "'s " + f.Name + " as well" },
	lint.FactKilledEarly: func(f *record.Fact) string {
		return fmt.Sprintf("%s may take %v to shut down, and is killed after %v", f.Name, f.Took, f.Bound)
	},
	lint.MendOuter: func(f *record.Fact) string { return fmt.Sprintf("set %s above %v", f.Name, f.Bound) },
	lint.FactIdleCloses: func(f *record.Fact) string {
		return fmt.Sprintf("nginx keeps idle upstream connections for %v, %s closes them after %v: "+
			"now and then a POST meets one and gets 502", f.Bound, f.Name, f.Took)
	},
	lint.FactForwarded: plain("ingress, load balancer and kube-proxy are not in the way of these streams, and the end " +
		"of a connection is seen up to 1 s late"),
	lint.FactIngressCuts: func(f *record.Fact) string {
		return fmt.Sprintf("streams are silent for up to %v: the %s, which these streams did not pass, ends its own "+
			"after %v without a byte", f.Took, f.Name, f.Bound)
	},
	lint.FactIngressBuffers: func(f *record.Fact) string {
		return "the " + f.Name + ", which these streams did not pass, collects responses before it sends them on"
	},
	lint.MendIngressBuffers: plain("remove the annotation nginx.ingress.kubernetes.io/proxy-buffering, or send " +
		"X-Accel-Buffering: no"),
	lint.MendForwarded: plain("to test them as well, run against the URL that users have, with --url"),
	lint.MendKeepAlive: func(f *record.Fact) string {
		return f.Name + map[string]string{"gunicorn": " --keep-alive 75", "uvicorn": " --timeout-keep-alive 75"}[f.Name]
	},
}

// Warned puts a warning into one line: the setting, what it does, and the fix.
func Warned(w verdict.Warning) string {
	wordWarning(&w)
	return w.Layer + " " + w.Setting + ": " + w.Why + "; fix: " + w.Fix
}

func wordWarning(w *verdict.Warning) {
	w.Why, w.Fix = cmp.Or(w.Why, Say(w.Fact)), cmp.Or(w.Fix, Say(w.Mend))
}
