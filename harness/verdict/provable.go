package verdict

import "github.com/streamproof/streamproof/harness/record"

// doubtLengths takes the proof from answers whose Content-Length an edge made up:
// one that holds an answer back counts what it got, and declares that, also where
// the app broke off. The same app, asked directly, declares no length.
func doubtLengths(scopes []Scope) {
	if !declaresNone(scopes) {
		return
	}
	for i := range scopes {
		for j := range scopes[i].Streams {
			g := &scopes[i].Streams[j]
			if g.Content.Unprovable && g.Wire.Framing == record.Length && g.Hop != appHop && g.Grade.Outcome == Complete {
				g.Grade.Flags = append(g.Grade.Flags, Unprovable)
			}
		}
	}
}

// declaresNone reports whether the app itself was asked, and sent complete responses
// without a length.
func declaresNone(scopes []Scope) bool {
	found := false
	for i := range scopes {
		for j := range scopes[i].Streams {
			g := &scopes[i].Streams[j]
			if g.Hop != appHop || !g.Content.Unprovable || g.Grade.Outcome != Complete {
				continue
			}
			if g.Wire.Framing == record.Length {
				return false
			}
			found = true
		}
	}
	return found
}
