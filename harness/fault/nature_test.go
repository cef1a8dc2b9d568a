package fault

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// What the record says of a fault comes from the fault, whatever it is called.
func TestNature(t *testing.T) {
	rst, fin := Strike{Link: stack.EdgeLink, Action: stack.RST}, Strike{Link: stack.UpstreamLink, Action: stack.FIN}
	for _, tt := range []struct {
		fault  Fault
		kind   record.FaultKind
		effect record.Effect
		links  []string
	}{
		{Latency(stack.EdgeLink, time.Second, 0), "latency", record.Delays, []string{stack.EdgeLink}},
		{Stall(stack.UpstreamLink, time.Second), "bandwidth", record.Delays, []string{stack.UpstreamLink}},
		{rst, "rst", record.Cuts, []string{stack.EdgeLink}},
		{Strike{Link: stack.EdgeLink, Action: stack.Flip}, "corrupt", record.Delays, []string{stack.EdgeLink}},
		{Strikes{rst, rst}, "rst", record.Cuts, []string{stack.EdgeLink}},
		{Strikes{rst, fin}, record.FaultStrikes, record.Cuts, []string{stack.EdgeLink, stack.UpstreamLink}},
		{Down{Link: stack.UpstreamLink}, record.FaultDown, record.Cuts, []string{stack.UpstreamLink}},
		{KillWorker{}, record.FaultKill, record.Cuts, nil},
		{Crash{}, record.FaultCrash, record.Cuts, nil},
		{MemoryKill{}, record.FaultMemory, record.Cuts, nil},
		{Drain{}, record.FaultDrain, record.Cuts, nil},
		{Deploy{}, record.FaultDeploy, record.Delays, nil},
		{ScaleIn{}, record.FaultScaleIn, record.Delays, nil},
		{NodeDrain{}, record.FaultNodeDrain, record.Delays, nil},
		{ScaleOut{}, record.FaultScaleOut, record.Delays, nil},
		{Reload{}, record.FaultReload, record.Delays, nil},
		{Pause{}, record.FaultPause, record.Delays, nil},
		{Squeeze{}, record.FaultSqueeze, record.Delays, nil},
		{Watch{}, record.FaultWatch, record.Delays, nil},
		{strange{}, record.FaultOther, record.Delays, nil},
	} {
		got := Nature(tt.fault, "my burst of SIGTERM")
		if got.Name != "my burst of SIGTERM" || got.Kind != tt.kind || got.Effect != tt.effect ||
			!slices.Equal(got.Links, tt.links) {
			t.Errorf("%s: %+v, want kind %s, effect %s, links %v", tt.fault, got, tt.kind, tt.effect, tt.links)
		}
	}
}

// A strange fault is of a package that we do not know.
type strange struct{ Fault }

func (strange) String() string { return "something else" }
