package synth

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// Store writes run into a run folder, as a run would, and returns the folder.
func Store(t testing.TB, run *record.Run) string {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir, run.Plan)
	if err != nil {
		t.Fatal(err)
	}
	for i := range run.Streams {
		w.Begin(&run.Streams[i])
		w.End(&run.Streams[i])
	}
	each(run.Windows, w.Window)
	each(run.Waves, w.Wave)
	each(run.Events, w.Event)
	each(run.Notes, w.Note)
	each(run.Hops, w.Hop)
	each(run.Ledgers, w.Ledger)
	each(run.Edges, w.Edge)
	each(run.Comparisons, w.Comparison)
	each(run.References, w.Reference)
	each(run.Machine, w.Machine)
	w.Finish(run.Finished, run.Interrupted)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func each[T any](list []T, write func(T)) {
	for _, x := range list {
		write(x)
	}
}
