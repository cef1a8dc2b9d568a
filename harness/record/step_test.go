package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// The steps of a scenario last until the next one, and come back from the record as they
// were written.
func TestTook(t *testing.T) {
	dir := t.TempDir()
	w, err := record.Create(dir, record.Plan{Schema: record.Schema, Scenarios: []record.Scenario{{ID: "a"}, {ID: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []record.Step{
		{Scenario: "a", At: 1 * time.Second, Name: record.StepOpening},
		{Scenario: "a", At: 3 * time.Second, Name: record.StepStreams},
		{Scenario: "a", At: 4 * time.Second, Name: record.StepFault},
		{Scenario: "a", At: 6 * time.Second, Name: record.StepStreams},
		{Scenario: "a", At: 7 * time.Second, Name: record.StepEnd},
		{Scenario: "b", At: 8 * time.Second, Name: record.StepOpening},
	} {
		w.Step(s)
	}
	w.Finish(10*time.Second, true)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	steps, sum := run.Took("a")
	want := []record.Lasted{{Name: record.StepOpening, For: 2 * time.Second},
		{Name: record.StepStreams, For: 2 * time.Second}, {Name: record.StepFault, For: 2 * time.Second}}
	if !slices.Equal(steps, want) || sum != 6*time.Second {
		t.Errorf("a: %v, %v", steps, sum)
	}
	// A scenario without an end has no sum, and its last step lasts to the end of the run.
	if steps, sum := run.Took("b"); sum != record.Never || len(steps) != 1 || steps[0].For != 2*time.Second {
		t.Errorf("b: %v, %v", steps, sum)
	}
	if steps, sum := run.Took("c"); sum != record.Never || steps != nil {
		t.Errorf("c: %v, %v", steps, sum)
	}
}
