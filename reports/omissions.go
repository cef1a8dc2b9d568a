package reports

import "github.com/streamproof/streamproof/harness/verdict"

// omissions count what a page does not show.
type omissions struct {
	rows int // streams without a lane
}

// lines says what is left out, and where it can be found.
func (o omissions) lines(in Input, cut int) []string {
	var out []string
	say := func(n int, what, rest string) {
		if n > 0 {
			out = append(out, count(n, what)+rest)
		}
	}
	events, logLines := 0, 0
	for i := range in.run().Streams {
		events += in.run().Streams[i].Omitted
	}
	for _, l := range in.run().Logs {
		logLines += l.Omitted
	}
	say(o.rows, "stream", " without a lane here; all were judged, and are in the run folder")
	say(events, "event", " counted but not kept, to bound memory: no tick shows them")
	say(logLines, "log line", " beyond the bound not read, from the middle of a file")
	say(in.run().Torn, "byte", " at the end of the record that form no complete entry")
	say(missing(in), "scenario", " planned but never judged; shown as inconclusive")
	if cut == 1 {
		return append(out, "1 text was cut for length; it says by how much")
	}
	if cut > 1 {
		out = append(out, thousands(cut)+" texts were cut for length; each says by how much")
	}
	return out
}

func missing(in Input) int {
	return len(in.scenarios()) - len(in.Report.Scenarios)
}

func rankClass(v verdictView) int { return rank(verdict.Verdict(v.Class)) }
