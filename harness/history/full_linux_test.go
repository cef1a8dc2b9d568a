package history

import (
	"golang.org/x/sys/unix"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// On a disk that is full Append fails, and all rows that were stored are there, and
// more can be added once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small disk takes the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	checkFull(t, filepath.Join(dir, "history.db"), writer(filepath.Join(dir, "history.db"), 1000),
		func() error { return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=4m") })
}

// The same where the size of files is bounded, which takes no rights.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	cmd := writer(path, 1000)
	limited := exec.Command("sh", "-c", `trap '' XFSZ; ulimit -f 200; exec "$0"`, os.Args[0]) // 200 blocks of 512 bytes
	limited.Env = cmd.Env
	checkFull(t, path, limited, func() error { return nil })
}

func checkFull(t *testing.T, path string, full *exec.Cmd, room func() error) {
	t.Helper()
	out, err := full.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err == nil || !strings.HasPrefix(lines[len(lines)-1], "error: append to history ") {
		t.Fatalf("the disk was not full: %v, %s", err, lines[len(lines)-1])
	}
	told := lines[:len(lines)-1]
	if len(told) < 3 {
		t.Fatalf("only %d rows went in before: %q", len(told), lines)
	}
	if err := room(); err != nil {
		t.Fatal(err)
	}
	db := opened(t, path)
	rows, err := db.Rows(Query{})
	if err != nil || len(rows) != len(told) {
		t.Errorf("%d rows of %d, %v", len(rows), len(told), err)
	}
	if id, err := db.Append(row(1)); err != nil || strconv.FormatInt(id, 10) == told[len(told)-1] {
		t.Errorf("append with room: %d, %v", id, err)
	}
}
