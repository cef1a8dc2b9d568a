package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"

	"github.com/streamproof/streamproof/harness/stack"
)

// silence keeps toxiproxy's bandwidth quiet. Alone of its toxics, that one traces to
// zerolog's global logger, which writes to stderr, where our own report is. Whoever
// only imports us keeps the logger; a lane with that toxic takes it away. Towards the
// client our own impairment limits the bandwidth, and nothing is taken.
var silence = sync.OnceFunc(func() { log.Logger = zerolog.Nop() })

// controlLimit bounds every call to toxiproxy whose context has no deadline.
// Its collection lock deadlocks while a client has stopped reading
// (toxiproxy#558), and then no call returns.
const controlLimit = 5 * time.Second

// A lane is one toxiproxy proxy. Each is made for one stack and used once.
//
// Two of toxiproxy's ways are given up on purpose: updating a toxic in place,
// which races with the goroutines that read it, and the HTTP API, whose state
// outlives a scenario. One of its faults stays: where a client hangs up while
// data for it is on the way, two goroutines and a chunk are lost for good, since
// nobody empties the channel any more. Of 50 clients that left a flood of data,
// 17 cost us a pair; streams with gaps between events almost never do.
type lane struct {
	name   string
	listen string // "127.0.0.1:port", kept when the lane is cut and restored
	proxy  *toxiproxy.Proxy
}

func newServer() *toxiproxy.ApiServer {
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
}

// newLane starts a proxy to target with toxics attached before its first
// connection.
func newLane(ctx context.Context, server *toxiproxy.ApiServer, name, target string, toxics []stack.Toxic) (*lane,
	error) {
	l := &lane{name: name, proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", target)}
	for _, t := range toxics {
		if err := l.add(ctx, t); err != nil {
			return nil, err
		}
	}
	err := l.up(ctx)
	if err == nil {
		l.listen = l.proxy.Listen
	}
	return l, err
}

func (l *lane) add(ctx context.Context, t stack.Toxic) error {
	if err := t.Check(); err != nil {
		return err
	}
	if t.Type == "bandwidth" {
		silence()
	}
	b, err := json.Marshal(map[string]any{
		"name": t.Name, "type": t.Type, "stream": t.Direction, "toxicity": 1, "attributes": t.Attr})
	if err != nil {
		return fmt.Errorf("encode toxic %s: %w", t.Name, err)
	}
	return l.call(ctx, "add toxic "+t.Name, func() error {
		_, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(b))
		return err
	})
}

func (l *lane) remove(ctx context.Context, name string) error {
	return l.call(ctx, "remove toxic "+name, func() error {
		err := l.proxy.Toxics.RemoveToxic(context.Background(), name)
		if errors.Is(err, toxiproxy.ErrToxicNotFound) {
			return nil
		}
		return err
	})
}

func (l *lane) up(ctx context.Context) error {
	return l.call(ctx, "start", func() error {
		if err := l.proxy.Start(); !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			return err
		}
		return nil
	})
}

func (l *lane) down(ctx context.Context) error {
	return l.call(ctx, "stop", func() error {
		l.proxy.Stop()
		return nil
	})
}

// close removes the toxics first: a stalled link goes on spinning after its
// connections are closed, because writing nothing never fails. A removal that
// hangs is freed by the stop after it.
func (l *lane) close(ctx context.Context) error {
	removing, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reset := l.call(removing, "remove all toxics", func() error {
		l.proxy.Toxics.ResetToxics(context.Background())
		return nil
	})
	if err := l.down(ctx); err != nil {
		return errors.Join(reset, err)
	}
	return nil
}

// call runs f but does not wait for it beyond ctx. A goroutine lost to a
// deadlock inside toxiproxy cannot be ended; the error says that there is one.
func (l *lane) call(ctx context.Context, what string, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, controlLimit)
	defer cancel()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s on %s: toxiproxy: %w", what, l.name, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s on %s: toxiproxy has not answered for %v (toxiproxy#558), one goroutine is lost to it: %w",
			what, l.name, time.Since(began).Round(time.Millisecond), ctx.Err())
	}
}
