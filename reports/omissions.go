package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/verdict"
)

// omissions count what a page does not show.
type omissions struct {
	rows int // streams without a lane
}

// lines says what is left out, and where it can be found.
func (o omissions) lines(in Input, cut int) []string {
	var out []string
	say := func(n int, format string) {
		if n > 0 {
			out = append(out, fmt.Sprintf(format, thousands(n)))
		}
	}
	events, logLines := 0, 0
	for i := range in.run().Streams {
		events += in.run().Streams[i].Omitted
	}
	for _, l := range in.run().Logs {
		logLines += l.Omitted
	}
	say(o.rows, "%s streams have no lane here; all of them were judged, and are in the run folder")
	say(events, "%s events were counted but not kept, to bound memory: their ticks are missing")
	say(logLines, "%s log lines beyond the bound were not read, from the middle of their files")
	say(in.run().Torn, "%s bytes at the end of the record make no whole entry and were not read")
	say(cut, "%s texts were cut for length; each says by how much")
	say(missing(in), "%s scenarios were planned and never judged; they are shown as inconclusive")
	return out
}

func missing(in Input) int {
	return len(in.scenarios()) - len(in.Report.Scenarios)
}

func rankClass(v verdictView) int { return rank(verdict.Verdict(v.Class)) }
