package reports

import (
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// Keys that are left out for one reason are said in one line, each by its name, and what
// Compose itself says stays as it is.
func TestWarnedOfCompose(t *testing.T) {
	got := OfCompose([]record.Fact{record.Quoted("a"), {Kind: record.FactComposePorts,
		Place: "services.web.ports[0].published"},
		record.Quoted("b"), {Kind: record.FactComposeSwap, Place: "services.web.memswap_limit"},
		{Kind: record.FactComposePorts, Place: "services.db.ports[0].published"}})
	want := []string{"a", "services.web.ports[0].published, services.db.ports[0].published: streamproof publishes ports " +
		"itself, " +
		"on free ports of 127.0.0.1", "b", "services.web.memswap_limit: a container with a memory limit gets no swap"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if lines := OfCompose(nil); len(lines) != 0 {
		t.Errorf("of nothing: %q", lines)
	}
}
