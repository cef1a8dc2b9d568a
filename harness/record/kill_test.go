package record

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// childFolder names the run folder that a child process is to fill.
const childFolder = "RECORD_TEST_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled starts streams and says so after each. It stops by itself if
// its parent forgets it.
func writeUntilKilled(dir string) error {
	w, err := Create(dir, testPlan())
	if err != nil {
		return err
	}
	for seq, end := uint64(1), time.Now().Add(time.Minute); time.Now().Before(end); seq++ {
		w.Begin(&Stream{Seq: seq})
		if _, err := fmt.Println(seq); err != nil {
			return err
		}
	}
	return w.Close()
}

// Whatever was recorded before a SIGKILL is there after it.
func TestSIGKILLLosesNothing(t *testing.T) {
	dir := t.TempDir() + "/run"
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for in := bufio.NewScanner(out); in.Scan(); {
		if said, err = strconv.Atoi(in.Text()); err != nil {
			t.Error(err)
		}
		if said == 1000 {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	run := open(t, dir)
	if len(run.Streams) < said || said < 1000 {
		t.Errorf("%d streams on record, %d were said to be", len(run.Streams), said)
	}
	if run.Finished != Never || run.Torn != 0 {
		t.Errorf("finished = %v, torn = %d", run.Finished, run.Torn)
	}
}
