package reports

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfCauses are the sentences of what package diagnose found.
var saidOfCauses = map[record.FactKind]sentence{
	diagnose.FactSlowPressed: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s slow or silent: %s, and the kernel holds up every process of a container at "+
			"its limit", count(f.N, "stream"), were(f.N), inside(f, 0))
	},
	diagnose.FactSlowStarved: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s slow or silent while %s: the app may not be at fault", count(f.N, "stream"),
			were(f.N), inside(f, 0))
	},
	diagnose.FactMisread: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s %s, and %s read as %s: what they hold is not judged", count(f.N, "answer"),
			are(f.N), inside(f, 0), were(f.N), f.Name)
	},
	diagnose.FactMostlyInPart: func(f *record.Fact) string {
		return fmt.Sprintf("%s (in the part of the run with most of them; %d of %d parts show it, in %s)", inside(f,
			0), f.N, f.Of, count(f.Need, "stream"))
	},
	diagnose.FactRuledOut: func(f *record.Fact) string { return f.Name + ": " + inside(f, 0) },
	diagnose.FactStream: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s", f.Stream, cmp.Or(inside(f, 0), f.Name))
	},
	diagnose.FactCollapsed: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s written over %s arrived within %s (B = %.2f; %d of %d neighbours together)",
			f.Stream, count(f.N, "event"), timeAt(f, 0), timeAt(f, 1), f.Share, f.Need, f.Of)
	},
	diagnose.FactEdgeCompresses: plain("the edge is set up to compress"),
	diagnose.FactLiveAt: func(f *record.Fact) string {
		return fmt.Sprintf("entered at %s, all events of %s arrive one by one%s", f.Place, count(f.N, "stream"),
			after(": ", inside(f, 0)))
	},
	diagnose.FactJoinedByApp: func(f *record.Fact) string {
		return fmt.Sprintf("asked directly, the app sent %s in one piece (stream %d: %s): it joins the events, "+
			"or the answer was ready at once",
			nOf(f, "answer"), f.Stream, inside(f, 0))
	},
	diagnose.NextLogYields: plain("log when each event is yielded, and compare with the time of the first byte"),
}

// who stands at a layer, as a sentence calls it.
func who(f *record.Fact) string {
	switch f.Place {
	case "upstream link":
		return "the link to the app"
	case "app":
		return "the app or what runs it"
	case "network":
		return "a layer that does not show"
	}
	return f.Name
}

// cluster reads "20 streams ended 1.98 s since their last event (spread 0.012 s)".
func cluster(f *record.Fact) string {
	streams := count(f.N, "stream")
	switch by := diagnose.Dimension(f.Name); by {
	case diagnose.AtIndex:
		return fmt.Sprintf("%s ended after event %d (spread %d)", streams, f.Bytes, f.More)
	case diagnose.AtBytes:
		return fmt.Sprintf("%s ended after %s (spread %d)", streams, bytesOf(f.Bytes), f.More)
	case diagnose.AtInstant:
		return fmt.Sprintf("%s ended at %.3f s (spread %.3f s)", streams, f.Took.Seconds(), f.Bound.Seconds())
	default:
		return fmt.Sprintf("%s ended %.2f s %s (spread %.3f s)", streams, f.Took.Seconds(), by, f.Bound.Seconds())
	}
}

// standBeside reads ": such lines stand within 50 ms of 17 of 17 of these ends, and
// beside 0 of 205 complete responses", behind the line.
func standBeside(f *record.Fact) string {
	near, with, on, there := fmt.Sprintf("within %d ms of", f.Took.Milliseconds()), "beside", "", ""
	if f.Kind == diagnose.FactNamedBeside {
		near, with = "with the request ID of", "with that of"
	}
	if f.Place != "" {
		on, there = " on "+f.Place, " there"
	}
	return fmt.Sprintf(": such lines stand %s %d of %d of these ends%s, and %s %s%s", near, f.N, f.Of, on, with,
		inside(f, 0),
		there)
}

// ofPid names the process that died, where it is known.
func ofPid(f *record.Fact) string {
	if f.N == 0 {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", f.N)
}

func kubeDeath(f *record.Fact) string {
	code := ""
	if f.N > 0 {
		code = fmt.Sprintf(", exit code %d", f.N)
	}
	return "Kubernetes: " + f.Name + ", pod " + f.Place + after(", container ", f.Text) + code
}

// besideDirect sets streams that the app was asked for directly beside those on the way.
func besideDirect(f *record.Fact) string {
	if f.N == 0 {
		return fmt.Sprintf("asked directly, %d of %s did not show it; %s", f.Of, count(f.Of, "stream"), inside(f, 0))
	}
	return fmt.Sprintf("asked directly, %d of %s showed the same; %s", f.N, count(f.Of, "stream"), inside(f, 0))
}

// noSign says what speaks against an edge that does not show.
func noSign(f *record.Fact) string {
	if f.Name == "" {
		return "no Via field and no Server field of a proxy"
	}
	return "no Via field, and Server is " + f.Name
}

// rerun is a command with a comment, or what to do where there is no command.
func rerun(f *record.Fact) string {
	return cmp.Or(f.Text, "run the same test with the equivalent of "+f.Name) + after("   # ", insideAll(f))
}

// peel is the command that compares the layers, likewise.
func peel(f *record.Fact) string {
	if f.Text == "" {
		return "run streamproof diagnose on the same app: " + insideAll(f)
	}
	return f.Text + "   # " + insideAll(f) + after("; ", after(f.Name+": ",
		map[bool]string{true: "the app behind its edge"}[f.Name != ""]))
}

// knownLimit hints at who sets a limit that was met.
func knownLimit(f *record.Fact) string {
	limit := f.Took.String()
	if f.Bytes > 0 {
		limit = bytesOf(f.Bytes)
	}
	return fmt.Sprintf("%s is the limit of %s (%s)", limit, f.Name, f.Place)
}

// reasons lists the reasons for the end, with their counts.
func reasons(f *record.Fact) string {
	var parts []string
	for _, c := range f.Counts {
		parts = append(parts, fmt.Sprintf("%q on %d", c.Name, c.N))
	}
	return strings.Join(parts, ", ")
}

// endAlike is with which event streams end.
func endAlike(f *record.Fact) string {
	if f.Name == "end" {
		return "with an event that sounds like an end"
	}
	return "with the same event"
}

func atMost(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return "at most " + count(n, what)
}

// firstSteps are the first of them.
func firstSteps(f *record.Fact) string {
	const most = 6
	parts := sayAll(f.About)
	if len(parts) > most {
		parts = append(parts[:most], "…")
	}
	return "first events, counted from the earliest: " + strings.Join(parts, ", ")
}

// ofWorkers reads "3 of worker 11, 4 of worker 12".
func ofWorkers(f *record.Fact) string {
	var parts []string
	for _, c := range f.Counts {
		parts = append(parts, fmt.Sprintf("%d of worker %s", c.N, c.Name))
	}
	return strings.Join(parts, ", ")
}

// precisely writes a time for the reader, with three significant digits: "26 ms", "2.7 s".
func precisely(d time.Duration) string {
	if d < time.Second {
		return exactly(float64(d)/float64(time.Millisecond)) + " ms"
	}
	return exactly(d.Seconds()) + " s"
}
