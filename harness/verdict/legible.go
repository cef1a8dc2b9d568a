package verdict

import "github.com/streamproof/streamproof/harness/record"

// minLegible is how many answers asked directly make a reference.
const minLegible = 3

// Legible asks whether characters came through: where a hop decodes each piece of
// a body by itself, a character that two pieces share becomes several U+FFFD side
// by side. A model, or a text about Unicode, may write them too, so that only the
// same app asked directly, which does not, proves a hop guilty.
type Legible struct{}

func (Legible) Check(s *Scope) Answer {
	const name = "characters come through whole"
	var split []*Graded
	answered := 0
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Contents == 0 {
			continue
		}
		if answered++; g.Content.Split > 0 {
			split = append(split, g)
		}
	}
	if len(split) == 0 {
		return Answer{}
	}
	splits := func(k record.FactKind, more ...fact) fact {
		first := fact{Kind: FactSplit, N: split[0].Content.Split}
		return fact{Kind: k, N: len(split), Of: answered, Stream: split[0].Seq, About: append([]fact{first}, more...)}
	}
	clean, scarred := s.Legibility()
	switch through := split[0].Hop != appHop; {
	case through && clean > 0 && scarred == 0:
		return fail(name, splits(FactHopSplits, fact{Kind: FactJudged, N: clean})).about(split)
	case through && scarred > 0:
		return pass(name, splits(FactAppSplits))
	}
	return unsure(name, next(NextDiagnose), splits(FactSplits)).about(split)
}

// Legibility counts the answers of the app asked directly, in the whole run,
// without and with U+FFFD; 0 and 0 where too few were asked.
func (s *Scope) Legibility() (clean, scarred int) {
	for i := range s.Run.Streams {
		st := &s.Run.Streams[i]
		switch {
		case st.Hop != appHop || st.Contents == 0:
		case st.Content.Replaced > 0:
			scarred++
		default:
			clean++
		}
	}
	if clean+scarred < minLegible {
		return 0, 0
	}
	return clean, scarred
}
