// Command demo shows in ten seconds why streamproof exists: the same endpoint
// behind the same nginx, its process killed mid-stream, seen by a load tester
// that trusts the protocol and by one that looks for the end of the answer.
//
//  1. The built-in server starts behind nginx with its default upstream, on this
//     machine; no Docker is needed.
//  2. Plain Vegeta sends streams, the app is killed, Vegeta reports (vegeta.go).
//  3. streamproof sends the same and has the same done to it (streamproof.go).
//  4. Both reports are printed side by side (columns.go).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

// The load, the same for both.
const (
	streams = 20
	events  = 40
	gap     = 50 * time.Millisecond
	limit   = 2 * time.Minute // for all of it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns 0 where both reports could be made, whatever they say.
func run(ctx context.Context, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := show(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 3
	}
	return 0
}

func show(ctx context.Context, w io.Writer) error {
	if _, err := exec.LookPath("nginx"); err != nil {
		return errors.New("it is nginx that launders: install it, or run 'make setup'")
	}
	dir, err := os.MkdirTemp("", "streamproof-demo-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	opener, err := scenarios.Opener(harness.App{})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d streams behind nginx with its default upstream; the app is killed mid-stream.\n\n", streams)
	left, err := plainVegeta(ctx, opener, dir+"/vegeta")
	if err != nil {
		return fmt.Errorf("ask Vegeta: %w", err)
	}
	right, err := proof(ctx, opener, dir+"/streamproof")
	if err != nil {
		return fmt.Errorf("ask streamproof: %w", err)
	}
	sideBySide(w, column{"vegeta", left}, column{"streamproof", right})
	return nil
}
