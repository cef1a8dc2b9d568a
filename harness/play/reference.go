package play

import (
	"context"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

const (
	referenceAsks  = 3 // times that a text is asked for
	referenceAlike = 2 // answers that must be one to be held against others
)

// learn finds out what a text answer says in full, where nothing declares how it
// ends: plain text bears no proof that it is whole. Streams of the load are then
// held against it, see [stream.Ask].Reference.
//
//  1. The app is asked at its own hop for the stream, and, where that can be
//     asked, for the answer in one piece.
//  2. The answer in one piece is the reference, if it comes alike twice and the
//     streamed ones are it, or beginnings of it.
//  3. Otherwise it is the streamed answer that came alike twice at least, if all
//     others are beginnings of it.
//  4. An app that answers each time anew has no reference, and its streams stay
//     unprovable.
//
// It is asked beside the load, since the tap keeps no text.
func (p *player) learn(ctx context.Context) error {
	ask := asker{p.Plan, p.sc.Policy.TotalLimit}
	if !ask.referable() || ctx.Err() != nil {
		return nil
	}
	target := p.Target(p.sc)
	if text, ok := p.references[target]; ok {
		p.reference = text
		return nil
	}
	p.phase(record.StepReference, "asking what the answer is")
	hops := p.hops()
	app := hops[len(hops)-1]
	streamed := ask.answers(ctx, app, p.sc.ID, target, p.Body, referenceAsks)
	var plain []answer
	if path := p.Plain(p.sc); path != "" {
		plain = ask.answers(ctx, app, p.sc.ID, path, p.PlainBody(), referenceAlike)
	}
	if ctx.Err() != nil {
		return nil
	}
	text, ref := choose(streamed, plain)
	ref.Scenario, ref.Err = p.sc.ID, p.Secrets.Hide(ref.Err)
	p.rec.Reference(ref)
	p.references[target], p.reference = text, text
	return nil
}

// choose finds the text that others are held against, "" if there is none.
func choose(streamed, plain []answer) (string, record.Reference) {
	if len(plain) > 0 {
		if text, ok := same(plain); ok {
			text = padded(text, streamed)
			if ref := measure(streamed, text); ref.Alike+ref.Short == ref.Asked {
				ref.Plain = true
				return text, ref
			}
		}
	}
	best := ""
	for _, a := range streamed {
		if a.err == nil && len(a.text) > len(best) {
			best = a.text
		}
	}
	ref := measure(streamed, best)
	if ref.Alike < referenceAlike || ref.Alike+ref.Short < ref.Asked {
		ref.Alike, ref.Bytes = 0, 0
		return "", ref
	}
	return best, ref
}

// padded is the text of the answer in one piece as it is streamed: white space at
// its end is the handwriting of a framework.
func padded(plain string, streamed []answer) string {
	for _, a := range streamed {
		if a.err == nil && strings.TrimSpace(a.text) == strings.TrimSpace(plain) {
			return a.text
		}
	}
	return plain
}

// same reports whether all answers came, and are one.
func same(all []answer) (text string, ok bool) {
	for _, a := range all {
		if a.err != nil || a.text == "" || a.text != all[0].text {
			return "", false
		}
	}
	return all[0].text, true
}

// measure holds answers against a text. One that broke off counts for what came.
func measure(all []answer, text string) record.Reference {
	r := record.Reference{Asked: len(all), Bytes: len(text)}
	for _, a := range all {
		switch {
		case a.err == nil && text != "" && a.text == text:
			r.Alike++
		case len(a.text) < len(text) && strings.HasPrefix(text, a.text):
			r.Short++
		}
		if a.err != nil && r.Err == "" {
			r.Err = a.err.Error()
		}
	}
	return r
}
