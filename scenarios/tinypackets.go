package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// TinyPackets cuts what travels into packets of a few bytes, on both sides of the
// edge: frames are split inside a line and inside a character.
func TinyPackets() harness.Scenario {
	const size = 7
	return harness.Scenario{
		ID: "tiny-packets", Title: "Packets of a few bytes",
		Doc:       "Frames that arrive in packets of a few bytes, split inside lines and inside UTF-8, are the same frames.",
		Symptom:   "single characters are lost or replaced",
		LookAlike: "content that the app itself corrupts: that shows on the control streams too",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 20, Gap: 50 * time.Millisecond},
		Fault:     fault.All{fault.Slices(stack.EdgeLink, size), fault.Slices(stack.UpstreamLink, size)},
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{Checks: calmFlags}),
	}
}
