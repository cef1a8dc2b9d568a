// Command streamproof proves that every stream completes or fails cleanly.
//
//  1. main hands its arguments to run; tests call that too.
//  2. Each command is a file: run, diagnose, judge, report, scenarios, init, schema,
//     version. A command returns an error; exit.go turns it into one clear line
//     and an exit code.
//  3. run merges the flags over the file of -f (options.go), refuses bad input
//     before anything starts (preflight.go), plays the scenarios, prints the
//     report and ends with the verdict.
//  4. The first Ctrl-C cancels the context: faults heal, streams end as
//     cancelled, the report is written. The second kills.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/scratch"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(load.GCPercent)
	}
	outlive()
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	// Once it was heard, the signal gets its default action back, so that a
	// second one ends us at once. The guard then ends what we started.
	context.AfterFunc(ctx, stop)
	defer func() {
		if broken := recover(); broken != nil { // Go's own code for it is that of inconclusive
			fmt.Fprintf(os.Stderr, "streamproof: bug: %v\n%s", broken, debug.Stack())
			os.Exit(exitBroken)
		}
	}()
	scratch.Sweep()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. Its result is the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(exported(args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	strict(root)
	return exitCode(stderr, root.ExecuteContext(ctx))
}
