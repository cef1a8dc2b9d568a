package history

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/verdict"
)

// writerOf makes the test binary a process that appends rows and says each ID.
const writerOf = "STREAMPROOF_TEST_HISTORY"

func TestMain(m *testing.M) {
	path := os.Getenv(writerOf)
	if path == "" {
		os.Exit(m.Run())
	}
	n, _ := strconv.Atoi(os.Getenv(writerOf + "_N")) // set by the test
	db, err := Open(path)
	for i := 0; err == nil && i < n; i++ {
		var id int64
		if id, err = db.Append(row(i)); err == nil {
			fmt.Println(id)
		}
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func writer(path string, n int) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerOf+"="+path, writerOf+"_N="+strconv.Itoa(n))
	return cmd
}

// row is a run with some kilobytes that do not compress.
func row(i int) Row {
	noise := make([]byte, 3000)
	for j := range noise {
		noise[j] = byte(rand.Uint32())
	}
	return Row{Started: time.Date(2026, 11, 1+i, 2, 0, 0, 0, time.UTC), Branch: "main",
		Commit: fmt.Sprintf("%040x", 0xabc000+i/2), Verdict: verdict.Pass, Complete: true, Streams: 20,
		Scenarios: []Scenario{{ID: "control", Verdict: verdict.Pass, Metrics: map[string]Metric{
			FirstEvent: {N: 20, P50: 0.2, Max: 0.3, Histogram: noise}}}}}
}

func opened(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func filled(t *testing.T, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sub", "history.db")
	db := opened(t, path)
	for i := range n {
		if id, err := db.Append(row(i)); err != nil || id != int64(i+1) {
			t.Fatal(id, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func idsOf(rows []Row) (ids []int64) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRowsComeBack(t *testing.T) {
	t.Parallel()
	path := filled(t, 4)
	rows, err := opened(t, path).Rows(Query{Last: 3})
	if err != nil || !slices.Equal(idsOf(rows), []int64{2, 3, 4}) || rows[0].Scenarios[0].Metrics[FirstEvent].P50 != 0.2 {
		t.Errorf("got %v, %v", rows, err)
	}
	if n, err := opened(t, path).Prune(func(r Row) bool { return r.ID > 2 }); n != 2 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if id, err := opened(t, path).Append(row(9)); id != 5 || err != nil {
		t.Errorf("a number was given twice: %d, %v", id, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	rows, err := opened(t, filled(t, 6)).Rows(Query{})
	if err != nil {
		t.Fatal(err)
	}
	rows[5].Branch, rows[5].AppVersion = "feature/x", "v2"
	for name, want := range map[string][]int64{"latest": {6}, "latest~1": {5}, "main": {5}, "main~1": {3, 4},
		"main~2": {1, 2}, "feature/x": {6}, "v2": {6}, "#3": {3}, rows[0].Commit: {1, 2}, "main~3": nil, "nobody": nil,
		"#7": nil, "latest~6": nil, "": nil} {
		found, err := Find(rows, name)
		if !slices.Equal(idsOf(found), want) || (err != nil) != (want == nil) {
			t.Errorf("%q: got %v, %v, want %v", name, idsOf(found), err, want)
		}
	}
}

// Several writers make one file at once and add to it. That goes wrong seldom, so it is
// done more than once.
func TestSeveralWriters(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "history.db")
		var all []*exec.Cmd
		for range 3 {
			c := writer(path, 5)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		for _, c := range all {
			if err := c.Wait(); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if rows, err := opened(t, path).Rows(Query{}); len(rows) != 15 || err != nil {
			t.Errorf("round %d: got %d rows, %v", round, len(rows), err)
		}
	}
}

// A writer that is killed at any moment has every row on the disk that it was told of.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	var told []int64
	for range 5 {
		cmd := writer(path, 1000)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		after := len(told) + 2 + rand.N(6)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if len(told) == after {
				time.AfterFunc(rand.N(20*time.Millisecond), func() { cmd.Process.Kill() })
			}
			id, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Error(lines.Text())
			}
			told = append(told, id)
		}
		_ = cmd.Wait() // it was killed
	}
	rows, err := opened(t, path).Rows(Query{})
	if err != nil || len(told) == 0 {
		t.Fatal(len(told), err)
	}
	for _, id := range told {
		if !slices.Contains(idsOf(rows), id) {
			t.Errorf("row %d is lost", id)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(b []byte) []byte{
		"truncated":        func(b []byte) []byte { return b[:len(b)*2/3] },
		"truncated oddly":  func(b []byte) []byte { return b[:len(b)/2+77] },
		"a page of zeros":  func(b []byte) []byte { clear(b[len(b)/2:][:4096]); return b },
		"a few other bits": func(b []byte) []byte { b[len(b)-1000] ^= 0x10; return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 30)
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, harm(b), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			db := opened(t, path)
			rows, err := db.Rows(Query{})
			var damage *Damage
			if !errors.As(err, &damage) || len(rows) < 10 || len(damage.Lost)+len(rows) != 30 && len(damage.Lost) > 0 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			id, err := db.Append(row(40))
			if id == 0 || err != nil && !errors.As(err, &damage) {
				t.Fatalf("append: %d, %v", id, err)
			}
			again, err := opened(t, path).Rows(Query{})
			if err != nil && !errors.As(err, &damage) {
				t.Fatal(err)
			}
			for _, r := range append(rows, Row{ID: id}) {
				if !slices.Contains(idsOf(again), r.ID) {
					t.Errorf("row %d was there, and is lost", r.ID)
				}
			}
		})
	}
}

// Runs that were pruned are not lost, however the file is damaged since; their numbers are
// not given again.
func TestPrunedIsNotLost(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(b []byte) []byte{
		"truncated":       func(b []byte) []byte { return b[:len(b)*2/3] },
		"a page of zeros": func(b []byte) []byte { clear(b[len(b)/2/4096*4096:][:4096]); return b },
		"first page":      func(b []byte) []byte { clear(b[:4096]); return b },
		"other bits":      func(b []byte) []byte { b[len(b)-1000] ^= 0x10; return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 40)
			db := opened(t, path)
			pruned := func(id int64) bool { return id <= 5 || id == 17 || id >= 38 }
			if n, err := db.Prune(func(r Row) bool { return !pruned(r.ID) }); n != 9 || err != nil {
				t.Fatal(n, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, harm(b), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			db = opened(t, path)
			rows, err := db.Rows(Query{})
			var damage *Damage
			if !errors.As(err, &damage) || len(rows) < 10 || name != "truncated" && len(rows)+len(damage.Lost) != 31 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			for _, id := range damage.Lost {
				if pruned(int64(id)) && name != "truncated" { // a page that is gone may have had pruned rows
					t.Errorf("%d was pruned, and is called lost: %v", id, damage.Lost)
				}
			}
			if name == "other bits" && len(damage.Lost) != 1 || name == "first page" && len(damage.Lost) > 0 {
				t.Errorf("lost: %v", damage.Lost)
			}
			if id, err := db.Append(row(50)); id != 41 || !errors.As(err, &damage) && err != nil {
				t.Errorf("appended as %d, %v", id, err)
			}
		})
	}
}

// A history without a readable head is served from its other pages, unless no row comes
// out of them: then it is a file of somebody else, and is not touched.
func TestHeadOverwritten(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(b []byte){
		"head":          func(b []byte) { clear(b[:100]) },
		"first page":    func(b []byte) { clear(b[:4096]) },
		"mark of ours":  func(b []byte) { clear(b[60:72]) },
		"somebody else": func(b []byte) { clear(b) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 12)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			harm(b)
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			db, err := Open(path)
			if name == "somebody else" {
				if !errors.As(err, new(*ForeignError)) {
					t.Errorf("got %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				var damage *Damage
				if rows, err := db.Rows(Query{}); !errors.As(err, &damage) || len(rows) != 12 || len(damage.Lost) > 0 {
					t.Errorf("%d rows, %v", len(rows), err)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
			if now, err := os.ReadFile(path); err != nil || !slices.Equal(now, b) {
				t.Error("a file was touched that was only read")
			}
		})
	}
}

func TestNewerAndForeign(t *testing.T) {
	t.Parallel()
	path := filled(t, 1)
	db, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = db.Exec("PRAGMA user_version = 2")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var newer *NewerError
	if _, err := Open(path); !errors.As(err, &newer) || newer.Schema != 2 {
		t.Errorf("newer: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	if db, err = sql.Open("sqlite", other); err == nil {
		_, err = db.Exec("CREATE TABLE cats (name TEXT)")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var foreign *ForeignError
	if _, err := Open(other); !errors.As(err, &foreign) {
		t.Errorf("foreign: %v", err)
	}
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("notes ", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(text); !errors.As(err, &foreign) {
		t.Errorf("text: %v", err)
	}
}
