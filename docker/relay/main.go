// Command relay runs harness/relay in a container of the Docker stack, steered
// over HTTP:
//
//	relay -listen :8000 -target upstream:8000 -control :8475
//
// Beside the control API of [relay.Handler] it knows POST /pause and POST
// /resume, which close and reopen the listener. Times in its ledger are
// nanoseconds since the Unix epoch.
//
// With -probe it is the origin of an edge probe instead, see [origin.ProbeServer]:
//
//	relay -probe -listen :8000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/relay"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		name    = flags.String("name", "relay", "name of the link")
		listen  = flags.String("listen", ":8000", "address to relay from")
		target  = flags.String("target", "", "address to relay to, host:port")
		control = flags.String("control", ":8475", "address of the control API")
		idle    = flags.Duration("idle", 0, "end connections on which nothing has moved for so long; 0 is patient")
		probe   = flags.Bool("probe", false, "relay nothing, and answer with streams that break off as they are asked to")
		life    = flags.Duration("life", 2*time.Hour, "end after this long, whoever forgot us")
	)
	if err := flags.Parse(args); err != nil {
		return 64
	}
	if *target == "" && !*probe {
		fmt.Fprintln(stderr, "relay: -target is missing")
		return 64
	}
	ctx, cancel := context.WithTimeout(ctx, *life)
	defer cancel()
	var err error
	if *probe {
		err = cut(ctx, *listen)
	} else {
		err = pass(ctx, relay.Options{Name: *name, Listen: *listen, Target: *target, Idle: *idle}, *control)
	}
	if err != nil {
		fmt.Fprintln(stderr, "relay:", err)
		return 1
	}
	return 0
}

// cut is the origin of an edge probe until ctx is over.
func cut(ctx context.Context, addr string) error {
	s, err := origin.ListenProbe(addr)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// pass relays until ctx is over.
func pass(ctx context.Context, opt relay.Options, control string) error {
	opt.Now = func() time.Duration { return time.Duration(time.Now().UnixNano()) }
	r, err := relay.Start(opt)
	if err != nil {
		return err
	}
	return serve(ctx, r, control)
}

// serve answers the control API until ctx is over, and closes the relay.
func serve(ctx context.Context, r *relay.Relay, addr string) error {
	srv := &http.Server{Addr: addr, Handler: handler(r), ReadHeaderTimeout: 10 * time.Second}
	done := context.AfterFunc(ctx, func() { srv.Close() })
	defer done()
	err := srv.ListenAndServe()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, r.Close())
}

func handler(r *relay.Relay) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", relay.Handler(r))
	mux.HandleFunc("POST /pause", func(w http.ResponseWriter, _ *http.Request) {
		r.Cut()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /resume", func(w http.ResponseWriter, _ *http.Request) {
		if err := r.Resume(); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
