package play

import (
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// TestAccountableStreams: those that we left, and the last of each request that was
// sent again.
func TestAccountableStreams(t *testing.T) {
	streams := []*record.Stream{
		{Seq: 1, Nonce: "whole"},
		{Seq: 2, Nonce: "left", Limit: record.CancelledByUs, End: 7},
		{Seq: 3, Nonce: "retried"},
		{Seq: 13, Nonce: "retried", After: 3},
		{Seq: 23, Nonce: "retried", After: 13},
		{Seq: 33, Nonce: "reconnected", After: 23}, // a new request
		{Seq: 4, Nonce: "retried and left", Limit: record.CancelledByUs},
		{Seq: 14, Nonce: "retried and left", After: 4, Limit: record.CancelledByUs},
		{Seq: 15, Nonce: "after a stranger", After: 5},
	}
	slices.Reverse(streams) // in the order of their ends, which may be any
	var got []uint64
	for _, s := range accountable(slices.Values(streams)) {
		got = append(got, s.seq)
		if s.seq == 2 && (s.nonce != "left" || s.end != 7) {
			t.Errorf("the stream that we left is %+v", s)
		}
	}
	slices.Sort(got)
	if want := []uint64{2, 14, 23}; !slices.Equal(got, want) {
		t.Errorf("accountable are %v, want %v", got, want)
	}
}
