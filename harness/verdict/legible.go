package verdict

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
	clean, scarred := s.Legibility()
	switch through := split[0].Hop != appHop; {
	case through && clean > 0 && scarred == 0:
		return fail(name, "%d of %d answers hold U+FFFD side by side (first: #%d, in %d events), and none of %d asked "+
			"directly does: a hop decodes the body piece by piece",
			len(split), answered, split[0].Seq, split[0].Content.Split, clean).about(split)
	case through && scarred > 0:
		return pass(name, "%d of %d answers hold U+FFFD side by side, and so do answers asked directly: no hop adds it",
			len(split), answered)
	}
	return unsure(name, "compare with the same answer from the app itself: streamproof diagnose",
		"%d of %d answers hold U+FFFD side by side (first: #%d, in %d events): their own text, or characters that were "+
			"split before they were decoded",
		len(split), answered, split[0].Seq, split[0].Content.Split).about(split)
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
