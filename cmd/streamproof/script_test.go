package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streamproof/streamproof/harness/history"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

// The scripts run the real program, its own origin and its guard.
func TestScripts(t *testing.T) {
	t.Parallel()
	path := filepath.Dir(program(t)) + string(os.PathListSeparator)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(8 * time.Minute),
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			if filepath.Base(env.WorkDir) != "script-run" { // it is the test binary, with the race detector
				env.Setenv("PATH", path+env.Getenv("PATH"))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"oneline":  oneLine,
			"runfiles": runFiles,
			"listens":  listens,
			"newer":    newer,
		},
	})
}

// exits CODE program args... runs a program that must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	for _, wrong := range unpastable(ts.Getenv("WORK")) {
		ts.Fatalf("%s", wrong)
	}
}

// oneline TEXT requires stderr to be exactly this line: one clear line and no
// usage dump.
func oneLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: oneline TEXT")
	}
	if got, want := ts.ReadFile("stderr"), "streamproof: "+args[0]+"\n"; got != want {
		ts.Fatalf("stderr:\n got %swant %s", got, want)
	}
}

// runfiles DIR requires a run folder to be complete.
func runFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: runfiles DIR")
	}
	for _, name := range []string{"plan.json", "verdict.json", "junit.xml", "summary.md", "report.html", "logs"} {
		if _, err := os.Stat(filepath.Join(ts.MkAbs(args[0]), name)); err != nil {
			ts.Fatalf("%v", err)
		}
	}
}

// listens NAME takes a port on loopback until the script ends, and puts its
// number into the variable NAME.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listens NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// newer FILE makes a history look as if the next version of streamproof had written it.
func newer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer FILE")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	// user_version of the database header, https://www.sqlite.org/fileformat.html#the_database_header
	_, err = f.WriteAt(binary.BigEndian.AppendUint32(nil, history.Schema+1), 60)
	ts.Check(errors.Join(err, f.Close()))
}
