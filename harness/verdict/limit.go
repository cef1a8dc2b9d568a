package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// limitWhy says which of our limits ended a stream, what had come by then, and
// which flag sets the limit.
func limitWhy(s *record.Stream, p *record.Policy) fact {
	switch s.Limit {
	case record.FirstLimit:
		return fact{Kind: FactNoFirst, Bound: p.FirstLimit, About: about(besides(s))}
	case record.GapLimit:
		return fact{Kind: FactStalled, N: s.Contents, Bound: p.GapLimit}
	case record.ProgressLimit:
		return fact{Kind: FactNoProgress, N: s.Contents, Bound: p.ProgressLimit, About: about(besides(s))}
	}
	if from, ok := lastProgress(s); ok && idled(s, p) {
		return fact{Kind: FactIdled, N: s.Contents, Took: (s.End - from).Round(100 * time.Millisecond), Bound: p.TotalLimit,
			About: about(besides(s))}
	}
	return fact{Kind: FactNotOver, N: s.Contents, Name: string(s.Limit), Bound: p.TotalLimit}
}

// besides says what came in place of content; nil for nothing.
func besides(s *record.Stream) *fact {
	f := fact{Kind: FactOnly, N: s.Heartbeats, Bytes: int64(s.Partial)}
	if s.Heartbeats == 0 && s.Partial == 0 && s.Contents == 0 {
		f.Of = s.Frames
	}
	if f.N == 0 && f.Bytes == 0 && f.Of == 0 {
		return nil
	}
	return &f
}
