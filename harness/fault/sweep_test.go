package fault

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

func TestSweeps(t *testing.T) {
	for _, tc := range []struct {
		f    Fault
		want bool
	}{
		{KillWorker{}, true},
		{Strike{Link: stack.UpstreamLink}, false},
		{Down{Link: stack.EdgeLink}, false},
		{Sequence{Strike{Link: stack.UpstreamLink}, Timed{Fault: Crash{}}}, true},
		{All{Down{Link: stack.EdgeLink}, Strikes{{Link: stack.UpstreamLink}}}, false},
	} {
		if got := Sweeps(tc.f); got != tc.want {
			t.Errorf("%s sweeps: %v, want %v", tc.f, got, tc.want)
		}
	}
}
