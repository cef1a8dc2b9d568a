package reports

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/streamproof/streamproof/harness/verdict"
)

// askedFor says what was asked for where every stream of a scenario was answered
// with an error status: that is more often a wrong path than a broken app. It is
// said of the first such scenario only.
func askedFor(in Input, s verdict.ScenarioReport) string {
	for _, first := range in.Report.Scenarios {
		if status := refusedBy(in, first.ID); status > 0 {
			if first.ID != s.ID {
				return ""
			}
			r := in.run().Plan.Request
			return fmt.Sprintf("every stream asked for %s %s and got status %d; the path is stream.path in the file, or --path",
				cmp.Or(r.Method, "GET"), pathOf(r.URL), status)
		}
	}
	return ""
}

// refusedBy is the status of the first stream of a scenario if the status of
// all is an error; 0 if not.
func refusedBy(in Input, id string) int {
	first := 0
	for i := range in.run().Streams {
		s := &in.run().Streams[i]
		if s.Scenario != id {
			continue
		}
		if s.Status < 400 {
			return 0
		}
		if first == 0 {
			first = s.Status
		}
	}
	return first
}

// pathOf is path and query of a URL; all of it where it cannot be read.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Path == "" {
		return raw
	}
	return u.RequestURI()
}
