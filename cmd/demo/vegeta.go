package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/streamproof/streamproof/harness/stack"
)

// plainVegeta attacks the endpoint as its manual says, has the app killed in
// the midst, and returns Vegeta's own text report. Package load has Vegeta for
// everything else; here it is the exhibit.
func plainVegeta(ctx context.Context, opener stack.Opener, dir string) (_ string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	s, err := opener.Open(ctx, stack.Spec{App: stack.App{Origin: &stack.Origin{Workers: 1}, Health: "/healthz"},
		Edge: stack.Edge{Form: stack.EdgeDefault}, LogDir: dir})
	if err != nil {
		return "", err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, s.Close(ctx))
	}()
	url := fmt.Sprintf("%s/stream?events=%d&gap=%s", s.Hops()[0].URL, events, gap)
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	pace := vegeta.Rate{Freq: 4 * streams, Per: time.Second}
	results := vegeta.NewAttacker().Attack(target, pace, time.Second/4, "demo")
	killed := make(chan error, 1)
	go func() {
		time.Sleep(events * gap / 2) // all streams are in their body
		killed <- killApp(ctx, s)
	}()
	var m vegeta.Metrics
	for r := range results {
		m.Add(r)
	}
	m.Close()
	if err := <-killed; err != nil {
		return "", err
	}
	var text strings.Builder
	err = vegeta.NewTextReporter(&m)(&text)
	return text.String(), err
}

func killApp(ctx context.Context, s stack.Stack) error {
	k, ok := s.(stack.Killer)
	if !ok {
		return errors.New("this stack cannot kill the app")
	}
	ps, err := k.Processes(ctx)
	if err != nil {
		return err
	}
	for _, p := range ps {
		if err := k.Signal(ctx, p, int(syscall.SIGKILL)); err != nil {
			return err
		}
	}
	return nil
}
