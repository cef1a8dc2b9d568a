package diagnose

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An access is one line of a log about one request, whichever product wrote it.
type access struct {
	hit
	logline.Request
}

// parseAccess reads a line; false if it is not about a request.
func parseAccess(h hit) (access, bool) {
	r, ok := logline.ParseAccess(h.log.Kind, h.line.Text)
	return access{h, r}, ok
}

// begun is when the request began, by the line; Never if it does not tell.
func (a *access) begun() time.Duration {
	if a.line.At == record.Never || a.Took < 0 {
		return record.Never
	}
	return a.line.At - a.Took
}

// accesses are the lines about requests, and which stream each is of.
type accesses struct {
	all []access
	of  map[uint64]int // stream: its line in all, of the edge before others
	// whose is the stream of a line, where that is known.
	whose map[lineKey]uint64
	// paths are those of lines that bear the ID of a stream, as the edge knows them.
	paths map[string]bool
}

// A lineKey names a line.
type lineKey struct {
	log *record.Log
	n   int
}

// accessOf is the line of the edge, or else of another hop, about a stream.
func (v *view) accessOf(g *verdict.Graded) (access, bool) {
	i, ok := v.access.of[g.Seq]
	if !ok {
		return access{}, false
	}
	return v.access.all[i], true
}

// joinAccess finds the line of each stream: by the request's ID, else by time,
// status and bytes where one line only fits one stream only.
func (v *view) joinAccess() {
	v.access.of = make(map[uint64]int)
	slices.SortStableFunc(v.access.all, func(a, b access) int { return cmp.Compare(edgeFirst(a), edgeFirst(b)) })
	byID := make(map[string]*verdict.Graded)
	for i := range v.Streams {
		if g := &v.Streams[i]; g.Nonce != "" && g.After == 0 {
			byID[g.Nonce] = g
		}
	}
	var rest []int
	for i := range v.access.all {
		a := &v.access.all[i]
		g := byID[a.ID]
		if g == nil && a.ID != "" && a.ID != "-" {
			for _, id := range nonceInLine.FindAllString(a.line.Text, -1) {
				if byID[id] != nil {
					g = byID[id]
				}
			}
		}
		switch {
		case g == nil:
			rest = append(rest, i)
		default:
			if _, ok := v.access.of[g.Seq]; !ok {
				v.access.of[g.Seq] = i
			}
		}
	}
	v.access.paths = make(map[string]bool)
	for _, i := range v.access.of {
		path, _, _ := strings.Cut(v.access.all[i].Path, "?")
		v.access.paths[strings.TrimSuffix(path, "/")] = true
	}
	v.joinByTime(rest)
	v.access.whose = make(map[lineKey]uint64, len(v.access.of))
	for seq, i := range v.access.of {
		a := &v.access.all[i]
		v.access.whose[lineKey{a.log, a.line.N}] = seq
	}
}

func edgeFirst(a access) int {
	if a.log.Kind.Edge() {
		return 0
	}
	return 1
}

// joinSlack is how far a line's time may be from the end of its stream.
const joinSlack = 60 * time.Millisecond

// joinByTime pairs lines without an ID with streams. Only pairs that have no rival
// on either side count, so that no stream is given another's fate.
func (v *view) joinByTime(lines []int) {
	for _, kinds := range []bool{true, false} {
		rivals := map[uint64][]int{}
		fits := map[int][]uint64{}
		for _, i := range lines {
			a := &v.access.all[i]
			if a.log.Kind.Edge() != kinds || a.line.At == record.Never || kinds && v.ofAnother(a.Path) {
				continue
			}
			for j := range v.Streams {
				g := &v.Streams[j]
				if _, done := v.access.of[g.Seq]; !done && a.mayBeOf(g) {
					rivals[g.Seq] = append(rivals[g.Seq], i)
					fits[i] = append(fits[i], g.Seq)
				}
			}
		}
		for i, seqs := range fits {
			if len(seqs) == 1 && len(rivals[seqs[0]]) == 1 {
				v.access.of[seqs[0]] = i
			}
		}
	}
}

// mayBeOf reports whether the line can be about the stream.
func (a *access) mayBeOf(g *verdict.Graded) bool {
	if g.End == record.Never || a.Status != 0 && g.Status != 0 && a.Status != g.Status && a.Status != 499 {
		return false
	}
	if g.End < a.line.At-joinSlack || g.End > a.line.At+a.line.Within+joinSlack {
		return false
	}
	if from := a.begun(); from != record.Never &&
		(startOf(g) < from-joinSlack-a.line.Within || startOf(g) > from+joinSlack+a.line.Within) {
		return false
	}
	return a.Sent < 0 || g.Status == 0 || a.Sent >= g.Bytes
}

// tagsOf are the meanings of what an edge says of a request, in the words that all
// edges have in common.
var tagsOf = map[logline.Ending]tag{
	logline.ServerSilent: upstreamTimeout,
	logline.HeadSilent:   headerTimeout,
	logline.Deadline:     totalTimeout,
	logline.ServerClosed: upstreamClosed,
	logline.HeadClosed:   headClosed,
	logline.NoConnection: connectRefused,
	logline.NoServer:     noneLive,
	logline.Full:         connectionsFull,
	logline.BadAnswer:    invalidChunk,
	logline.Stopped:      edgeStopped,
	logline.ClientLeft:   clientLeft,

	logline.ConnectSilent: unreachable,
	logline.Refused:       edgeRefused,
}

// ofAnother reports whether a path is known not to be that of the run: another user of the
// same edge asked for it. What stands in front may take the start of a path away, or put
// one before it.
func (v *view) ofAnother(path string) bool {
	u, err := url.Parse(v.Run.Plan.Request.URL)
	if err != nil || strings.ContainsAny(u.Path, "{}") {
		return false
	}
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimSuffix(path, "/")
	for _, ours := range []string{strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.EscapedPath(), "/")} {
		if strings.HasSuffix(path, ours) || strings.HasSuffix(ours, path) {
			return false
		}
	}
	return !v.access.paths[path]
}

// dropOthers forgets what an edge says of requests that were not ours.
func (v *view) dropOthers() {
	for t := range v.tags {
		v.tags[t] = slices.DeleteFunc(v.tags[t], func(h hit) bool { return v.ofAnother(h.path) })
	}
}

// onlyOthers reports whether an edge's log has lines about requests, and none about one
// that may be ours.
func (v *view) onlyOthers(l *record.Log) bool {
	others := false
	for i := range l.Lines {
		if path := requestIn(l, l.Lines[i].Text); path != "" {
			if !v.ofAnother(path) {
				return false
			}
			others = true
		}
	}
	return others
}

// tagAccess sorts the lines about requests by how these ended, and those of a log
// that others but us may fill only where they are of our streams.
func (v *view) tagAccess() {
	ours := make(map[int]bool, len(v.access.of))
	for _, i := range v.access.of {
		ours[i] = true
	}
	for i, a := range v.access.all {
		if t, ok := tagsOf[a.Ended]; ok && (ours[i] || a.ID == "" && !v.ofAnother(a.Path)) {
			h := a.hit
			h.once = true
			v.tags[t] = append(v.tags[t], h)
		}
	}
}
