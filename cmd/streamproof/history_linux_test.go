package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/history"
)

// storedRuns are n run folders, a minute apart.
func storedRuns(t *testing.T, n int) (dirs []string) {
	t.Helper()
	for i := range n {
		b := synth.New()
		b.Run.Plan.Started = b.Run.Plan.Started.Add(time.Duration(i) * time.Minute)
		b.Run.Plan.Seed = uint64(i + 1)
		b.Add(4, synth.Shape{})
		dirs = append(dirs, synth.Store(t, &b.Run))
	}
	return dirs
}

// ourselves is the program as a process of its own.
func ourselves(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(program(t), args...)
}

// adding is one that adds runs to a history.
func adding(t *testing.T, file string, dirs ...string) *exec.Cmd {
	t.Helper()
	return ourselves(t, append([]string{"history", "add", "--history", file}, dirs...)...)
}

// outcome runs a program to its end.
func outcome(t *testing.T, cmd *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// seedsIn are the seeds of the runs that the program finds in a history, sorted, and what
// it complains of.
func seedsIn(t *testing.T, file string) (seeds []uint64, complaint string) {
	t.Helper()
	code, out, complaint := outcome(t, ourselves(t, "history", "export", "--history", file))
	var rows []history.Row
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 0 {
		t.Fatalf("export of %s: exit code %d, %v, %s", file, code, err, complaint)
	}
	for _, r := range rows {
		seeds = append(seeds, r.Seed)
	}
	slices.Sort(seeds)
	return seeds, complaint
}

func seedsTo(n int) (seeds []uint64) {
	for i := range n {
		seeds = append(seeds, uint64(i+1))
	}
	return seeds
}

// Two processes add the same runs at the same time: each is there once.
func TestHistoryOfTwoProcesses(t *testing.T) {
	t.Parallel()
	const n = 12
	dirs, file := storedRuns(t, n), filepath.Join(t.TempDir(), "h.db")
	backwards := slices.Clone(dirs)
	slices.Reverse(backwards)
	var both []*exec.Cmd
	for _, order := range [][]string{dirs, backwards} {
		cmd := adding(t, file, order...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		both = append(both, cmd)
	}
	for _, cmd := range both {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, complaint := seedsIn(t, file); !slices.Equal(got, seedsTo(n)) || complaint != "" {
		t.Errorf("runs %v, %s", got, complaint)
	}
}

// added starts a process that adds runs, kills it a moment after it has told of so many
// of them, and returns how many it told of.
func addedUntilKilled(t *testing.T, file string, dirs []string, after int) (told int) {
	t.Helper()
	cmd := adding(t, file, dirs...)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "history: ") {
			t.Errorf("it says %q", lines.Text())
		}
		if told++; told == after {
			time.AfterFunc(rand.N(15*time.Millisecond), func() { cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // it was killed
	return told
}

// Processes that are killed while they write lose no run that they told of, leave no half
// ones, and whoever adds all runs anew afterwards has each once.
func TestHistoryOfKilledProcesses(t *testing.T) {
	t.Parallel()
	const n = 16
	dirs, file := storedRuns(t, n), filepath.Join(t.TempDir(), "h.db")
	for range 4 {
		told := addedUntilKilled(t, file, dirs, 1+rand.IntN(n-4))
		got, complaint := seedsIn(t, file)
		if len(got) < told || !slices.Equal(got, seedsTo(len(got))) || complaint != "" {
			t.Fatalf("it told of %d runs, and the history has %v, %s", told, got, complaint)
		}
	}
	if code, _, complaint := outcome(t, adding(t, file, dirs...)); code != 0 {
		t.Error(complaint)
	}
	if got, _ := seedsIn(t, file); !slices.Equal(got, seedsTo(n)) {
		t.Errorf("runs %v", got)
	}
}

// On a disk that is full a run is not remembered, all others are, and what the program
// says to do then does it. A limit on the size of files, which takes no rights, ends the
// same way.
func TestHistoryOnAFullDisk(t *testing.T) {
	t.Parallel()
	const n = 60
	dirs := storedRuns(t, n)
	for _, where := range []string{"tmpfs", "limit"} {
		t.Run(where, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "h.db")
			cmd := adding(t, file, dirs...)
			room := func() error { return nil }
			if where == "tmpfs" {
				if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=68k"); err != nil {
					t.Skipf("a small disk takes the right to mount one: %v", err)
				}
				t.Cleanup(func() {
					if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
						t.Error(err)
					}
				})
				room = func() error { return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=8m") }
			} else {
				// in KiB; a program that does not ignore the signal is ended by it
				const limited = `trap '' XFSZ; ulimit -f 32; exec "$0" "$@"`
				cmd = exec.Command("bash", append([]string{"-c", limited}, cmd.Args...)...)
			}
			code, _, said := outcome(t, cmd)
			told := strings.Count(said, "history: #")
			if code != exitBroken || told < 2 || told == n || !strings.Contains(said, "streamproof: append to history ") {
				t.Fatalf("the disk was not full: exit code %d, %s", code, said)
			}
			if got, complaint := seedsIn(t, file); !slices.Equal(got, seedsTo(told)) || complaint != "" {
				t.Errorf("it told of %d runs, and the history has %v, %s", told, got, complaint)
			}
			if err := room(); err != nil {
				t.Fatal(err)
			}
			if code, _, said := outcome(t, adding(t, file, dirs...)); code != 0 {
				t.Errorf("with room: exit code %d, %s", code, said)
			}
			if got, _ := seedsIn(t, file); !slices.Equal(got, seedsTo(n)) {
				t.Errorf("with room the history has %v", got)
			}
		})
	}
}

// harms are what happens to files.
var harms = []struct {
	name  string
	least int // runs that must still be served, of 30
	do    func(b []byte) []byte
}{
	{"nothing is left", 0, func([]byte) []byte { return nil }},
	{"ten bytes are left", 0, func(b []byte) []byte { return b[:10] }},
	{"a part of the first page is left", 0, func(b []byte) []byte { return b[:1000] }},
	{"the first page is left", 0, func(b []byte) []byte { return b[:4096] }},
	{"half of it is left", 5, func(b []byte) []byte { return b[:len(b)/2] }},
	{"all but one byte is left", 20, func(b []byte) []byte { return b[:len(b)-1] }},
	{"the head is overwritten", 30, func(b []byte) []byte { clear(b[:100]); return b }},
	{"the first page is overwritten", 30, func(b []byte) []byte { clear(b[:4096]); return b }},
	{"a page is overwritten", 20, func(b []byte) []byte { clear(b[len(b)/8192*4096:][:4096]); return b }},
	{"a bit has flipped", 20, func(b []byte) []byte { b[len(b)-2000] ^= 1; return b }},
}

// historyOf is the bytes of a history of the runs.
func historyOf(t *testing.T, dirs []string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "h.db")
	if code, _, said := outcome(t, adding(t, file, dirs...)); code != 0 {
		t.Fatal(said)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// databaseOf is a file of these bytes.
func databaseOf(t *testing.T, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "h.db")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// Of a damaged history the damage is named and the rest served; the next run that is added
// loses nothing more.
func TestHistoryThatIsDamaged(t *testing.T) {
	t.Parallel()
	const n = 30
	dirs := storedRuns(t, n+1)
	whole := historyOf(t, dirs[:n])
	for _, harm := range harms {
		t.Run(harm.name, func(t *testing.T) {
			file := databaseOf(t, harm.do(slices.Clone(whole)))
			before, complaint := seedsIn(t, file)
			if len(before) < harm.least || strings.Count(complaint, "\n") != 1 ||
				!strings.HasPrefix(complaint, "streamproof: history "+file+" is damaged (") {
				t.Fatalf("%d runs, %q", len(before), complaint)
			}
			if code, _, said := outcome(t, adding(t, file, dirs[n])); code != 0 {
				t.Fatal(said)
			}
			// A row whose checksum is wrong hinders nobody: it stays and is named again.
			after, still := seedsIn(t, file)
			want := append(before, n+1)
			if !slices.Equal(after, want) || still != "" && !strings.Contains(complaint, "checksum") {
				t.Errorf("the history has %v, want %v, %s", after, want, still)
			}
		})
	}
}

// A process that is killed while it puts a damaged file aside loses nothing either.
func TestHistoryKilledWhileItIsMended(t *testing.T) {
	t.Parallel()
	const n = 30
	dirs := storedRuns(t, n+1)
	broken := historyOf(t, dirs[:n])
	clear(broken[len(broken)/8192*4096:][:4096])
	file := databaseOf(t, broken)
	before, _ := seedsIn(t, file)
	killed := 0
	for range 5 {
		if err := os.WriteFile(file, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := adding(t, file, dirs[n])
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for begun, alive := false, true; alive && !begun; {
			select {
			case <-ended:
				alive = false
			case <-time.After(time.Millisecond):
				fresh, _ := filepath.Glob(file + ".new-*")
				begun = len(fresh) > 0
			}
		}
		time.Sleep(rand.N(40 * time.Millisecond))
		if cmd.Process.Kill() == nil && <-ended != nil {
			killed++
		}
		got, _ := seedsIn(t, file)
		for _, seed := range before {
			if !slices.Contains(got, seed) {
				t.Fatalf("run %d was there, and is lost: %v", seed, got)
			}
		}
		for _, end := range []string{"-wal", "-shm"} {
			os.Remove(file + end) // of the file that is to be written anew
		}
	}
	t.Logf("%d of 5 were killed", killed)
}

// A history of a later version is refused by all that would read or write it, in one
// line, and a run does not begin.
func TestHistoryOfALaterVersion(t *testing.T) {
	t.Parallel()
	file := databaseOf(t, historyOf(t, storedRuns(t, 1)))
	db, err := sql.Open("sqlite", file)
	if err == nil {
		_, err = db.Exec(fmt.Sprintf("PRAGMA user_version = %d", history.Schema+1))
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	for _, args := range [][]string{{"run", "--history", file, "-o", dir}, {"history", "list", "--history", file},
		{"history", "add", "--history", file, storedRuns(t, 1)[0]}, {"history", "prune", "--keep", "1", "--history", file},
		{"trend", "--history", file}, {"report", "--history", file}, {"compare", "latest", "latest", "--history", file}} {
		want := fmt.Sprintf("streamproof: %s: the history was written by a newer streamproof (schema %d, this one "+
			"reads up to %d); update streamproof, or name another file\n", file, history.Schema+1, history.Schema)
		if code, out, said := outcome(t, ourselves(t, args...)); code != exitUsage || said != want || out != "" {
			t.Errorf("%q: exit code %d, %q, %q", args, code, out, said)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a run was begun: %v", err)
	}
}
