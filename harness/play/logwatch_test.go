package play

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness"
)

// What a file gains is seen line by line, and a file that shrinks is not trusted.
func TestLogsAreWatched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("of before\n")
	start := time.Now()
	w, err := watchLogs([]harness.LogFile{{Kind: "app", Path: path}}, filepath.Join(dir, "none"),
		func() time.Duration { return time.Since(start) })
	if err != nil {
		t.Fatal(err)
	}
	write("one\n")
	await(t, 20*lookEvery)
	write("two\nthr")
	await(t, 20*lookEvery)
	w.ending.Store(true)
	write("ee\n")
	w.close()
	w.close()
	a := w.arrivals(path)
	if w.offset(path) != int64(len("of before\n")) || len(a.Lines) != 3 || a.Lines[0] != 1 || a.Lines[1] != 3 ||
		a.Lines[2] != 3 {
		t.Fatalf("offset %d, arrivals %+v", w.offset(path), a)
	}
	if a.Whole[0] || a.Whole[1] || !a.Whole[2] {
		t.Errorf("whole = %v: only what comes while the stack ends may have waited", a.Whole)
	}
	for i := range a.To {
		if a.From[i] > a.To[i] || i > 0 && a.From[i] < a.From[i-1] {
			t.Errorf("growth %d came between %v and %v", i, a.From[i], a.To[i])
		}
	}
}

// What the user's logs gain shortly after the last stream is waited for; what others write
// into them for ever is not.
func TestLastLinesAreWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name        string
		every       time.Duration
		lines       int
		least, most time.Duration // that it waits
	}{
		{"nothing comes", 0, 0, settleQuiet, settleQuiet + 4*lookEvery},
		{"a line comes late", 200 * time.Millisecond, 1, 200*time.Millisecond + settleQuiet - 2*lookEvery,
			200*time.Millisecond + settleQuiet + 4*lookEvery},
		{"there is no end of lines", 100 * time.Millisecond, 50, settleLimit, settleLimit + 2*lookEvery},
	} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(dir, "app.log")
			out, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			start := time.Now()
			w, err := watchLogs([]harness.LogFile{{Kind: "app", Path: path}}, filepath.Join(dir, "none"),
				func() time.Duration { return time.Since(start) })
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			time.Sleep(10 * time.Second)
			var writer sync.WaitGroup
			defer writer.Wait()
			writer.Go(func() {
				for range tt.lines {
					time.Sleep(tt.every)
					_, _ = out.WriteString("line\n")
				}
			})
			began := time.Now()
			w.settle()
			if took := time.Since(began); took < tt.least || took > tt.most {
				t.Errorf("%s: it waited %v", tt.name, took)
			}
		})
	}
}

// await gives the watcher time for a look.
func await(t *testing.T, d time.Duration) {
	t.Helper()
	time.Sleep(d)
}

func TestRotatedLogIsNotTrusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, []byte("a\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := growing{seen: 0}
	f.grow(path, 4, 0, time.Second, false)
	if err := os.WriteFile(path, []byte("c\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.grow(path, 2, time.Second, 2*time.Second, false)
	if !f.broken || len(f.To) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestAttachedNames(t *testing.T) {
	logs := []harness.LogFile{{Kind: "app", Path: "/a/x.log"}, {Kind: "app", Path: "/b/x.log"}, {Path: "/c/x.log"},
		{Kind: "nginx_error", Path: "error.log"}}
	for i, want := range []string{"app-x.log", "app-2-x.log", "auto-x.log", "nginx_error-error.log"} {
		if got := attachedName(i, logs); got != want {
			t.Errorf("name %d = %q, want %q", i, got, want)
		}
	}
}
