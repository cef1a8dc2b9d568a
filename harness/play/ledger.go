package play

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
)

// ledgerGrace is how long after a client has left the server may go on before it
// is asked what it did: one write that fails, and a little.
const ledgerGrace = 2 * time.Second

// ledgers asks the app for its own account of the streams that we hung up on, and
// of those that were asked for twice. An app may keep none; the scenario then says
// what would settle the question.
func (p *player) ledgers(ctx context.Context) error {
	c := p.sc.Client
	if c.Abort == (harness.Abort{}) && c.Retry.Times == 0 {
		return nil
	}
	if p.App.LedgerPath() == "" {
		p.note(p.sc.ID, record.NoteDoubt, unaccounted(c),
			"answer GET /ledger?nonce=… with the outcome of a stream, and name the path (app.ledger)")
		return nil
	}
	var failed error
	ask := accountable(p.recorded(&failed, record.Victim))
	if len(ask) == 0 || failed != nil {
		return failed
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(ledgerGrace):
	}
	for _, s := range ask {
		if err := p.askLedger(ctx, s); err != nil {
			return fmt.Errorf("ask the app for its ledger: %w", err)
		}
	}
	return nil
}

func unaccounted(c harness.Client) string {
	if c.Abort != (harness.Abort{}) {
		return "only the app's log can tell whether it stopped after the client left"
	}
	return "only the app can tell whether it did the work of a retried request twice"
}

// A left stream is what is kept of one whose account matters.
type left struct {
	seq   uint64
	nonce string
	end   time.Duration // when it ended
}

// accountable are the streams whose account matters: those that we left, and the
// last one of each nonce that was sent again.
func accountable(streams iter.Seq[*record.Stream]) []left {
	before := map[uint64]string{} // nonces of streams that another one came after
	for s := range streams {
		if s.After != 0 {
			before[s.After] = s.Nonce
		}
	}
	retried := map[string]bool{} // nonces that were sent again
	for s := range streams {
		if nonce, ok := before[s.Seq]; ok && nonce == s.Nonce {
			retried[nonce] = true
		}
	}
	var ask []left
	for s := range streams {
		last := before[s.Seq] != s.Nonce
		if last && (retried[s.Nonce] || s.Limit == record.CancelledByUs) {
			ask = append(ask, left{s.Seq, s.Nonce, s.End})
		}
	}
	return ask
}

// An account is one entry of the app's ledger.
type account struct {
	Starts   int
	Produced int
	Stopped  bool
	StopUnix int64 `json:"stop_unix_ns"`
}

// askLedger asks every replica, since the retry of a request may go to another
// one. A stream that nobody knows has no entry in the record.
func (p *player) askLedger(ctx context.Context, s left) error {
	path := strings.ReplaceAll(p.App.LedgerPath(), "{nonce}", url.QueryEscape(s.nonce))
	var sum account
	known := false
	for _, base := range p.innermost() {
		var got account
		err := asker{Plan: p.Plan}.getJSON(ctx, base+path, &got)
		if errors.Is(err, errUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		got.Starts += sum.Starts
		sum, known = got, true
	}
	if !known {
		return nil
	}
	p.enter(s, sum)
	return nil
}

// innermost are the places where the app is asked without a fault or a buffer in
// between.
func (p *player) innermost() []string {
	var bases []string
	for _, r := range p.stack.Replicas() {
		bases = append(bases, r.URL)
	}
	if hops := p.stack.Hops(); len(bases) == 0 {
		bases = append(bases, hops[len(hops)-1].URL)
	}
	return bases
}

// enter records what the app says about a stream.
func (p *player) enter(s left, got account) {
	l := record.Ledger{Scenario: p.sc.ID, Nonce: s.nonce, Stream: s.seq,
		Starts: got.Starts, Produced: got.Produced, LeftAt: s.end, StopAt: record.Never}
	if got.Stopped {
		l.StopAt = p.tap.At(time.Unix(0, got.StopUnix))
	}
	p.rec.Ledger(l)
}
