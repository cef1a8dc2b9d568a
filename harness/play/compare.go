package play

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
)

const (
	comparisons  = 3 // questions that are asked both ways
	compareLimit = time.Minute
	compareSize  = 64 << 20 // bytes of one answer
)

// compare asks for the same answers streamed and in one piece, and records
// whether the texts are the same. It is done beside the load, not with it: the
// tap keeps no text.
func (p *player) compare(ctx context.Context) error {
	if p.sc.Policy.Expect != record.ExpectSameText || ctx.Err() != nil {
		return nil
	}
	plain := p.Plain(p.sc)
	if plain == "" {
		p.note(p.sc.ID, record.NoteDoubt, "nothing says how to ask for the answer in one piece",
			"set stream.plain_path or stream.plain_body to what asks the app not to stream")
		return nil
	}
	for i := range comparisons {
		c := p.ask2(ctx, plain, fmt.Sprintf("%032x", load.Hash(fmt.Sprint(p.Seed, "/compare/", i))))
		p.rec.Comparison(c)
		if c.Limit > 0 {
			break // the next ones would last as long
		}
	}
	return nil
}

// ask2 asks one question in both ways. What went wrong is part of the result.
func (p *player) ask2(ctx context.Context, plain, nonce string) record.Comparison {
	ask, c := asker{p.Plan, p.sc.Policy.TotalLimit}, record.Comparison{Scenario: p.sc.ID, Nonce: nonce, Differ: -1}
	streamed, err := ask.text(ctx, p.front, p.Target(p.sc), p.Body, nonce)
	late := errors.Is(err, context.DeadlineExceeded)
	if err != nil {
		c.StreamedErr = p.Secrets.Hide(err.Error())
	}
	whole, err := ask.text(ctx, p.front, plain, p.PlainBody(), nonce)
	if late = late || errors.Is(err, context.DeadlineExceeded); late && ctx.Err() == nil {
		c.Limit = max(compareLimit, ask.limit)
	}
	if err != nil {
		c.WholeErr = p.Secrets.Hide(err.Error())
	}
	streamed, whole = samePadding(streamed, whole)
	c.Streamed, c.Whole = len(streamed), len(whole)
	c.StreamedSum, c.WholeSum = sum(streamed), sum(whole)
	if streamed != whole {
		c.Differ = common(streamed, whole)
	}
	return c
}

// samePadding takes the white space off the ends of two texts that differ in
// nothing else: a last newline is the handwriting of a framework.
func samePadding(a, b string) (string, string) {
	if x, y := strings.TrimSpace(a), strings.TrimSpace(b); x == y {
		return x, y
	}
	return a, b
}

// sum tells texts apart.
func sum(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

// common is the length of the common prefix.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
