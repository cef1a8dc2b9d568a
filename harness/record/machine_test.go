package record

import (
	"reflect"
	"testing"
	"time"
)

func TestMachineSamplesComeBack(t *testing.T) {
	dir := t.TempDir() + "/run"
	w, err := Create(dir, Plan{Schema: Schema})
	if err != nil {
		t.Fatal(err)
	}
	want := []MachineSample{
		{At: time.Second, Over: 250 * time.Millisecond, Known: true, Busy: 1, Steal: 2, OursRan: 3, OursWaited: 4, AppRan: 5,
			AppWaited: 6, Whole: true, Throttled: 7, Late: 8, DiskWait: 9, AppOnDisk: 10, DiskBytes: 11, AppDiskBytes: 12},
		{At: 2 * time.Second, Over: time.Second},
	}
	for _, m := range want {
		w.Machine(m)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := Open(dir)
	if err != nil || !reflect.DeepEqual(run.Machine, want) {
		t.Errorf("%+v, %v", run.Machine, err)
	}
}
