package play

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Look is what an app answered to one request.
type Look struct {
	Status      int
	ContentType string
	Body        []byte // at most a megabyte
	Took        time.Duration
	Cut         error // why the body broke off, nil for a whole one
}

const (
	lookLimit = 30 * time.Second // from the request to the end of the answer
	lookSize  = 1 << 20
)

// LookAt starts app without anything in front of it, asks it once for what every
// stream asks for, and stops it again.
func LookAt(ctx context.Context, app harness.App, opener stack.Opener) (look Look, err error) {
	plan, err := harness.NewPlan(harness.Options{App: app, Scenarios: []harness.Scenario{{ID: "look"}}})
	if err != nil {
		return look, err
	}
	dir, err := os.MkdirTemp("", "streamproof-look-")
	if err != nil {
		return look, err
	}
	defer os.RemoveAll(dir)
	begin := time.Now()
	st, err := opener.Open(ctx, stack.Spec{App: app.Spec(), Edge: stack.Edge{Form: stack.EdgeNone}, LogDir: dir,
		Kind: opener.Kind(),
		Now:  func() time.Duration { return time.Since(begin) }, Notify: func(stack.Event) {}})
	if err != nil {
		return look, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		defer cancel()
		err = errors.Join(err, st.Close(closing))
	}()
	hops := st.Hops()
	if len(hops) == 0 {
		return look, errors.New("open stack: it has no hop to ask at")
	}
	return lookIn(ctx, plan, dialOf(opener), app.Entrance(hops[len(hops)-1]))
}

// lookIn asks once at h.
func lookIn(ctx context.Context, plan *harness.Plan, by dial, h stack.Hop) (look Look, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, plan.App.Method(), h.URL+plan.Target(harness.Scenario{}),
		bytes.NewReader(plan.Body))
	if err != nil {
		return look, err
	}
	req.Header = plan.Header
	begin := time.Now()
	t := dialing(h, by, plan.TLS)
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req)
	if err != nil {
		return look, fmt.Errorf("ask the app: %w", err)
	}
	defer resp.Body.Close()
	look.Status, look.ContentType = resp.StatusCode, resp.Header.Get("Content-Type")
	look.Body, look.Cut = io.ReadAll(io.LimitReader(resp.Body, lookSize))
	look.Took = time.Since(begin)
	return look, nil
}
