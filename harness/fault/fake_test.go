package fault

import (
	"context"
	"iter"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// linked is a stack of nothing but links.
type linked []stack.Link

func (l linked) Links() []stack.Link       { return l }
func (linked) Hops() []stack.Hop           { return nil }
func (linked) Replicas() []stack.Replica   { return nil }
func (linked) Logs() []stack.Log           { return nil }
func (linked) Versions() map[string]string { return nil }
func (linked) Layers() []stack.Layer       { return nil }
func (linked) Close(context.Context) error { return nil }

// striker is a link that remembers what it was armed with.
type striker struct {
	name  string
	armed []stack.Strike
}

func (s *striker) Name() string                                 { return s.name }
func (*striker) Add(context.Context, stack.Toxic) error         { return nil }
func (*striker) Remove(context.Context, string) error           { return nil }
func (*striker) SetUp(context.Context, bool) error              { return nil }
func (*striker) Ledger(context.Context) ([]stack.Struck, error) { return nil, nil }
func (s *striker) Arm(_ context.Context, strikes ...stack.Strike) error {
	s.armed = append(s.armed, strikes...)
	return nil
}

// these are streams as if they were read from a record.
func these(streams ...*record.Stream) iter.Seq[*record.Stream] { return slices.Values(streams) }
