package origin_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// TestStreamGoesOnBehindTheLastEvent: a client that reconnects gets the rest, and
// one whose ID is none of ours gets all.
func TestStreamGoesOnBehindTheLastEvent(t *testing.T) {
	d, _ := stream.Lookup("origin")
	for id, want := range map[string]int{"": 6, "4": 2, "6": 0, "7": 6, "-1": 6, "x": 6} {
		t.Run("id "+id, func(t *testing.T) {
			r := newRig(t)
			ask := stream.Ask{Nonce: "resumed"}
			if want < 6 {
				ask.Resume = int64(6 - want)
			}
			r.carry(context.Background(), tap.Job{URL: r.url + "/stream?events=6&gap=1ms", Dialect: &d, Ask: ask,
				Header: http.Header{"Last-Event-ID": {id}}})
			r.mu.Lock()
			defer r.mu.Unlock()
			if got := r.done["resumed"]; got.Contents != want || got.Content.State != stream.Complete {
				t.Errorf("%d events, %s (%s); want %d", got.Contents, got.Content.State, got.Content.Why, want)
			}
		})
	}
}
