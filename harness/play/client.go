package play

import (
	"cmp"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/tap"
)

// What clients do where nobody says otherwise: the backoff of the libraries of
// large APIs, and an event source on a network that is near.
const (
	defaultBackoff   = 500 * time.Millisecond
	defaultReconnect = 100 * time.Millisecond
)

// behave makes the client of a stream behave as c does.
func behave(t *load.Target, c harness.Client) {
	t.Abort = tap.Abort{AfterEvents: c.Abort.AfterEvents, After: c.Abort.After}
	t.Read = tap.Reading{Rate: c.Read.Rate, Buffer: c.Read.Buffer}
	t.Client = load.Client{Retries: c.Retry.Times, Backoff: cmp.Or(c.Retry.Wait, defaultBackoff),
		Reconnects: c.Reconnect.Times, Wait: cmp.Or(c.Reconnect.Wait, defaultReconnect), Together: c.Reconnect.Together}
}
