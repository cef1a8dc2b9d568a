package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

// places says for each place that the harness names which flag it comes from,
// and which key of the file.
var places = []struct{ place, flag, key string }{
	{"dialect", "dialect", "stream.dialect"},
	{"terminal", "terminal", "stream.terminal"},
	{"endless", "endless", "stream.endless"},
	{"error", "error", "stream.error"},
	{"order", "order", "stream.order"},
	{"owner", "owner", "stream.owner"},
	{"url", "url", "app.url"},
	{"app.replicas", "replicas", "app.replicas"},
	{"app.logs", "log", "logs"},
	{"load.streams", "streams", "load.streams"},
	{"load.total", "count", "load.total"},
	{"load.rate", "rate", "load.rate"},
	{"load.duration", "duration", "load.duration"},
	{"load.arrivals", "arrivals", "load.arrivals"},
	{"load.stages", "stage", "load.stages"},
	{"load_workers", "load-workers", "load_workers"},
	{"fleet.kubernetes.workers", "load-workers", "fleet.kubernetes.workers"},
	{"fleet", "fleet", "fleet"},
	{"load.prompts", "load-prompts", "load.prompts"},
	{"load.sessions.turns", "turns", "load.sessions.turns"},
	{"load.sessions.think", "think", "load.sessions.think"},
	{"load", "streams", "load"},
	{"slo", "slo", "slo"},
	{"stack", "stack", ""},
	{"direct", "direct", "app.direct"},
	{"scenarios", "scenario", "scenarios"},
	{"sabotage", "sabotage", ""},
	{"stream.prompts", "prompts", "stream.prompts"},
	{"tls.cacert", "cacert", "tls.cacert"},
	{"tls.cert", "cert", "tls.cert"},
	{"tls.key", "key", "tls.key"},
	{"tls", "insecure", "tls"},
	{"resolve", "resolve", "tls.resolve"},
	{"stream.headers", "header", "stream.headers"},
	{"stream.body", "body", "stream.body"},
	{"method", "method", "stream.method"},
	{"out", "out", ""},
}

// flagFixes are fixes of the harness, which speaks of keys, in terms of flags.
var flagFixes = map[string]string{
	"add duration: 30s": "add --duration 30s",
	"keep streams for a closed model, rate for an open one": "keep --streams for a closed model, --rate for an open one",
	"leave stack out, or use docker":                        "leave --stack out, or write --stack docker",
}

// place moves an error from the harness's own names to where the user wrote
// what is wrong: a flag, or a line of the file.
func (in *input) place(err error) error {
	var placed *config.Error
	var u *harness.UsageError
	if errors.As(err, &placed) || !errors.As(err, &u) || strings.HasPrefix(u.Place, "-") {
		return err
	}
	if i := slices.IndexFunc(in.from.Define, func(d config.Define) bool {
		return strings.HasPrefix(u.Place, harness.ScenarioPlace(d.ID))
	}); i >= 0 {
		rest := strings.TrimPrefix(u.Place, harness.ScenarioPlace(in.from.Define[i].ID))
		return in.from.Locate(fmt.Sprintf("define[%d].%s", i, rest), u.Problem, u.Fix)
	}
	key := u.Place
	for _, p := range places {
		rest, ok := strings.CutPrefix(u.Place, p.place)
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		if p.key == "" || in.from.Path == "" || in.given.Changed(p.flag) {
			return &harness.UsageError{Place: "--" + p.flag, Problem: u.Problem, Fix: cmp.Or(flagFixes[u.Fix], u.Fix)}
		}
		key = p.key + rest
		break
	}
	if in.from.Path == "" {
		return err
	}
	return in.from.Locate(key, u.Problem, u.Fix)
}
