package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// ledgerGrace is how long after a client has left the server may go on before it
// is asked what it did: one write that fails, and a little.
const ledgerGrace = 2 * time.Second

// ledgers asks our origin for its own account of the streams that we hung up on.
// Other apps keep none; the scenario then says what would settle the question.
func (p *player) ledgers(ctx context.Context) error {
	if p.sc.Abort.AfterEvents == 0 {
		return nil
	}
	if !p.App.origin() {
		p.note(p.sc.ID, record.NoteDoubt, "only the app's log can tell whether it stopped after the client left", "log the end of each stream with its X-Request-ID")
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(ledgerGrace):
	}
	base := p.front.URL
	for _, h := range p.stack.Hops() {
		base = h.URL // the innermost: no fault, no buffer in between
	}
	for _, s := range p.seen.of(record.Victim) {
		if s.Limit != record.CancelledByUs {
			continue
		}
		if err := p.askLedger(ctx, base, s); err != nil {
			return fmt.Errorf("ask origin for its ledger: %w", err)
		}
	}
	return nil
}

func (p *player) askLedger(ctx context.Context, base string, s *record.Stream) error {
	var got struct {
		Produced int
		Stopped  bool
		StopUnix int64 `json:"stop_unix_ns"`
	}
	if err := getJSON(ctx, base+"/ledger?nonce="+url.QueryEscape(s.Nonce), &got); err != nil {
		return err
	}
	l := record.Ledger{Nonce: s.Nonce, Stream: s.Seq, Produced: got.Produced, LeftAt: s.End, StopAt: record.Never}
	if got.Stopped {
		l.StopAt = p.tap.At(time.Unix(0, got.StopUnix))
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	p.rec.Note(record.Note{Scenario: p.sc.ID, At: p.now(), Kind: record.NoteLedger, Text: string(text)})
	return nil
}

func getJSON(ctx context.Context, from string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	t := &http.Transport{DisableKeepAlives: true}
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", from, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
