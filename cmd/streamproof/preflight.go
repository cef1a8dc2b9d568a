package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

// preflight looks for what would break a run before it has begun, and would
// then read like a failure of the app: a server that is not there, a port that
// is taken, a file or folder that cannot be used. It runs after [Options.Validate],
// so that no stranger's host is touched.
func preflight(ctx context.Context, o harness.Options) error {
	if err := recognise.Reachable(ctx, &o.App); err != nil {
		return err
	}
	return usable(ctx, o)
}

// usable is the part of [preflight] that stays on this machine.
func usable(ctx context.Context, o harness.Options) error {
	for _, check := range []func() error{
		func() error { return opens(ctx, o) },
		func() error { return musters(ctx, &o) },
		func() error { return portFree(o.App) },
		func() error { return readableLogs(o.App.Logs) },
		func() error { return builds(o.App.Build) },
		func() error { return composed(ctx, o.App.Compose) },
		func() error { return nginxReads(o.App.Edge.NginxConf, o.App.Path(), o.App.Method()) },
		func() error { return writable(o.Dir) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// opens finds who starts the app, and has it look at what is to be there already.
func opens(ctx context.Context, o harness.Options) (err error) {
	if o.Opener, err = scenarios.Opener(o.App); err != nil {
		return err
	}
	if err := o.ValidHost(); err != nil { // which only the opener of a cluster knows
		return err
	}
	if c, ok := o.Opener.(stack.Checker); ok {
		return c.Check(ctx, o.App.Spec())
	}
	return nil
}

// musters finds who sends the load, and has it look at what it needs.
func musters(ctx context.Context, o *harness.Options) error {
	f, err := scenarios.LoadFleet(o)
	if f == nil || err != nil {
		return err
	}
	return f.Check(ctx)
}

// portFree asks for the port that the user's command is to listen on.
func portFree(a harness.App) error {
	if len(a.Command) == 0 || a.Port == 0 {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port)))
	if err == nil {
		return l.Close()
	}
	return &harness.UsageError{Place: "app.port",
		Problem: fmt.Sprintf("port %d is taken: %s", a.Port, harness.Reason(err)),
		Fix:     "end what listens there, or leave port out and use {port} or $PORT in the command"}
}

func readableLogs(logs []harness.LogFile) error {
	for _, l := range logs {
		f, err := os.Open(l.Path)
		if err != nil {
			return &harness.UsageError{Place: "app.logs." + l.Kind,
				Problem: fmt.Sprintf("cannot read %s: %s", l.Path, harness.Reason(err)), Fix: "check the path and its permissions"}
		}
		f.Close()
	}
	return nil
}

// writable tries to write where the run folder is to be, and leaves nothing
// there. A folder that holds a run is left alone: two runs in one record could
// not be told apart.
func writable(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "plan.json")); err == nil {
		return &harness.UsageError{Place: "out", Problem: dir + " already holds a run",
			Fix: "name another folder, or leave -o out"}
	}
	if sub := holdsRuns(dir); sub != "" {
		return &harness.UsageError{Place: "out", Problem: dir + " holds other runs, such as " + sub,
			Fix: "name a folder for this one: -o " + quote(filepath.Join(dir, "NAME"))}
	}
	probe, err := os.MkdirTemp(existing(dir), ".streamproof-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		return &harness.UsageError{Place: "out", Problem: fmt.Sprintf("cannot write to %s: %s", dir, harness.Reason(err)),
			Fix: "name a folder that can be written with -o"}
	}
	return nil
}

// holdsRuns names a run in a folder of dir; "" where there is none.
func holdsRuns(dir string) string {
	entries, _ := os.ReadDir(dir) // one that is not there or cannot be read holds none that we could mix up
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "plan.json")); err == nil {
			return e.Name()
		}
	}
	return ""
}

// existing is dir, or the nearest folder above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
