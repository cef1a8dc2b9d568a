package harness

import (
	"fmt"
	"strconv"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/plural"
)

// answers is which texts of answers the bodies of a load ask for.
func (a *App) answers(l *Load) load.Answers {
	asks := load.NoAnswers
	for _, b := range a.bodies(l) {
		for _, m := range turnPlace.FindAllSubmatch(b.text, -1) {
			switch {
			case len(m[1]) > 0:
				return load.AllAnswers
			case string(m[0]) != "{turn}":
				asks = load.LastAnswer
			}
		}
	}
	return asks
}

// A turnBody is a body of the turns from a first to a last one.
type turnBody struct {
	place       string
	text        []byte
	first, last int
}

// bodies are all bodies that the load sends.
func (a *App) bodies(l *Load) (all []turnBody) {
	turns := l.Turns()
	if l.Requests != nil && !l.Requests.Sized {
		for i := range l.Requests.Entries {
			e := &l.Requests.Entries[i]
			place := fmt.Sprintf("%s:%d", l.Requests.Path, e.Line)
			if e.Turns == nil {
				all = append(all, turnBody{place, e.Body, 1, turns})
			}
			for n, text := range e.Turns {
				all = append(all, turnBody{place, text, n + 1, n + 1})
			}
		}
		return all
	}
	return append(all, turnBody{"stream.body", []byte(a.Stream.Body), 1, turns})
}

// validSessions refuses conversations that cannot be had.
func (a *App) validSessions(l *Load) error {
	t, turns := l.Sessions.Think, l.Turns()
	bad := func(place, fix, problem string, args ...any) error {
		return &UsageError{Place: place, Problem: fmt.Sprintf(problem, args...), Fix: fix}
	}
	switch {
	case l.Sessions.Turns < 0 || turns > MostTurns:
		return bad("load.sessions.turns", fmt.Sprintf("ask for 1 to %d", MostTurns), "%s", plural.Of(turns, "turn"))
	case t.Least < 0 || t.Most < t.Least:
		return bad("load.sessions.think", "write a time such as 2s, or from a shorter to a longer one, 1s..5s",
			"thinking for %s to %s", t.Least, t.Most)
	case t.Most > 0 && turns == 0:
		return bad("load.sessions.think", "add turns: 3, or --turns 3",
			"there is a time to think between turns, but there are no turns")
	case turns > 0 && a.Stream.Endless.For > 0:
		return bad("load.sessions.turns", "leave one of them out",
			"a session continues after a complete response, and with endless none is complete")
	}
	if f := l.Requests; f != nil && f.Talks {
		for i := range f.Entries {
			if n := len(f.Entries[i].Turns); n > turns {
				return bad("load.sessions.turns", "raise it, or leave it out: the lines then say how many turns there are",
					"sessions have %s, and line %d of %s has %d", plural.Of(turns, "turn"), f.Entries[i].Line, f.Path, n)
			}
		}
	}
	return a.validTurnPlaces(l, turns)
}

// validTurnPlaces refuses places for a turn or an answer that can never be filled. In a
// body that is the same in each turn, an answer is empty until there is one.
func (a *App) validTurnPlaces(l *Load, turns int) error {
	s := &a.Stream
	if turns > 0 {
		beside := []string{a.Path()}
		for _, v := range s.Headers {
			beside = append(beside, v)
		}
		for _, text := range beside {
			if p := turnPlace.FindString(text); p != "" {
				return &UsageError{Place: "stream.body", Problem: p + " is in the path or a header",
					Fix: "turns and answers go into the body alone"}
			}
		}
	}
	says := false
	for _, b := range a.bodies(l) {
		if turns == 0 && b.place != "stream.body" {
			continue // sent as it stands, as any text
		}
		for _, m := range turnPlace.FindAllSubmatch(b.text, -1) {
			if fix, problem := unfilled(string(m[0]), string(m[1]), &b, turns); problem != "" {
				return &UsageError{Place: b.place, Problem: problem, Fix: fix}
			}
			says = says || string(m[0]) != "{turn}"
		}
	}
	if !says {
		return nil
	}
	d, _, _, err := a.dialect()
	if err == nil && !d.Says() {
		return &UsageError{Place: "stream.body", Problem: "{answer} needs the text of answers, and dialect " + d.Name +
			" does not say where it is", Fix: `add text: [".delta.text"] to it below dialects`}
	}
	return err
}

// unfilled says why a place of a body can never be filled; "" where it can.
func unfilled(place, number string, b *turnBody, turns int) (fix, problem string) {
	if turns == 0 {
		return "add --turns 3, or load.sessions", place + " needs a session, and there are no turns"
	}
	if place == "{turn}" {
		return "", ""
	}
	if place == "{answer}" {
		if b.last > 1 {
			return "", ""
		}
		return "leave it out of turn 1", place + " is in turn 1, before any answer"
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || strconv.Itoa(n) != number {
		return "write {answer}, or {answer.1} for the answer of turn 1", fmt.Sprintf("%s names no turn", place)
	}
	if n >= b.last {
		return "name an earlier turn", fmt.Sprintf("%s is in no turn after turn %d: this body is sent in %s", place, n,
			turnsOf(b))
	}
	return "", ""
}

func turnsOf(b *turnBody) string {
	if b.first == b.last {
		return fmt.Sprintf("turn %d", b.last)
	}
	return fmt.Sprintf("turns %d to %d", b.first, b.last)
}
