package play

import (
	"context"
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

// A replicated stack is one of nothing but replicas.
type replicated struct{ replicas []stack.Replica }

func (f *replicated) Replicas() []stack.Replica { return f.replicas }
func (*replicated) Links() []stack.Link         { return nil }
func (*replicated) Hops() []stack.Hop           { return nil }
func (*replicated) Logs() []stack.Log           { return nil }
func (*replicated) Versions() map[string]string { return nil }
func (*replicated) Layers() []stack.Layer       { return nil }
func (*replicated) Close(context.Context) error { return nil }

func TestRosterKnowsReplicasThatComeAndGo(t *testing.T) {
	f := &replicated{[]stack.Replica{{Name: "app[0]", Addr: "a:1", Control: "a:2"}}}
	var r roster
	r.open(f)
	check := func(upstream, want string) {
		t.Helper()
		if got := r.name(upstream); got != want {
			t.Errorf("%q is %q, want %q", upstream, got, want)
		}
	}
	check("a:1", "app[0]")
	check("a:2", "app[0]")
	check("", "app[0]") // no edge, one replica
	f.replicas = append(f.replicas, stack.Replica{Name: "app[1]", Addr: "b:1"})
	check("b:1", "app[1]")
	check("", "")
	f.replicas = f.replicas[1:]
	r.refresh()
	check("a:1", "app[0]")      // gone, and its streams end only now
	check("a:1, b:1", "app[1]") // nginx tried both
	check("c:1", "")
	r.open(nil)
	check("a:1", "")
}
