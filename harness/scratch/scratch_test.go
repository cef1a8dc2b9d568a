package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestMain makes a folder and waits to be killed, where it is started as its owner.
func TestMain(m *testing.M) {
	if os.Getenv("SCRATCH_OWNER") == "" {
		os.Exit(m.Run())
	}
	d, err := Dir("test")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(d.Path)
	select {}
}

// TestKilledOwnersAreSwept: what a killed process left goes at the next start, and what a
// process that lives holds stays.
func TestKilledOwnersAreSwept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stranger := filepath.Join(os.TempDir(), "streamproof-look-1")
	if err := os.Mkdir(stranger, 0o700); err != nil {
		t.Fatal(err)
	}
	mine, err := Dir("mine")
	if err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "SCRATCH_OWNER=1")
	out, err := owner.StdoutPipe()
	if err == nil {
		err = owner.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	theirs := lines.Text()
	if err := os.WriteFile(filepath.Join(theirs, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	Sweep()
	if !there(theirs) {
		t.Error("the folder of a living process was removed")
	}
	owner.Process.Kill()
	owner.Wait()
	Sweep()
	if there(theirs) {
		t.Error("the folder of a killed process is still there")
	}
	if !there(mine.Path) || !there(stranger) {
		t.Error("a folder was removed that is ours, or that nobody locks")
	}
	for range 2 {
		if err := mine.Remove(); err != nil || there(mine.Path) {
			t.Errorf("remove: %v", err)
		}
	}
}

// TestDirsAmongSweepers: no folder is swept in the moment before it is locked.
func TestDirsAmongSweepers(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				d, err := Dir("test")
				if err != nil {
					t.Error(err)
					return
				}
				if !there(d.Path) {
					t.Error("a folder is gone at once")
				}
				d.Remove()
			}
		})
	}
	all.Wait()
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
