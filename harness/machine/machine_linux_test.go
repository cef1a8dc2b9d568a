package machine

import (
	"os"
	"syscall"
	"testing"
)

// What we write to a disk is counted, as ours.
func TestSampleSeesTheDisk(t *testing.T) {
	if _, err := os.Stat("/proc/pressure/io"); err != nil {
		t.Skip("this kernel keeps no account of who waits for a disk")
	}
	dir := t.TempDir()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Type == tmpfs {
		t.Skipf("no disk below %s", dir)
	}
	app := []int{os.Getpid()}
	s := New(clock(), app)
	f, err := os.Create(dir + "/bytes")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 4 << 20
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if m := s.Sample(app, true, 0); m.AppDiskBytes < size || m.DiskWait < 0 || m.DiskBytes < 0 {
		t.Errorf("%d bytes were written: %+v", size, m)
	}
}

// tmpfs is TMPFS_MAGIC of statfs(2).
const tmpfs = 0x01021994
