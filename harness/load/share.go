package load

// A Share is the part of a wave that one of several processes sends. A stream keeps its
// number in the wave, and all that follows from that: when it is due, where it goes, its
// nonce, its request. So the shares together are exactly the wave, whoever sends them.
//
// Stream number n of the wave belongs to share n mod Of:
//
//	wave     0 1 2 3 4 5 6 7 …
//	0 of 3   0 ─── 3 ─── 6 ─── …
//	1 of 3   ─ 1 ─── 4 ─── 7 ─ …
//	2 of 3   ─── 2 ─── 5 ───── …
//
// In a closed wave it is the slots that are dealt out like this, and stream n is in slot
// n mod Streams. Otherwise a share with fewer slots than the others, or with none, would
// be left behind with its numbers: the wave would last longer, or lack streams.
//
//	4 slots  0 1 2 3 │ 4 5 6 7 │ 8 …
//	0 of 3   0 ─── 3 │ 4 ─── 7 │ 8 …      slots 0 and 3
//	1 of 3   ─ 1 ─── │ ─ 5 ─── │ ─ …      slot 1
//	2 of 3   ─── 2 ─ │ ─── 6 ─ │ ─ …      slot 2
//
// The zero Share is the whole wave.
type Share struct {
	Index int // from 0
	Of    int // 0 and 1 mean all
}

// count is how many of n slots, or of the first n streams of an open wave, are the
// share's.
func (s Share) count(n int) int {
	if s.Of <= 1 {
		return n
	}
	return max(0, n-s.Index+s.Of-1) / s.Of
}

// valid reports whether there is such a share.
func (s Share) valid() bool { return s.Index >= 0 && s.Index < max(1, s.Of) }

// part is the wave's share with the slots by which it is dealt.
func (w *Wave) part() part {
	p := part{Share: w.Share}
	if w.Rate == 0 {
		p.slots = w.Streams
	}
	return p
}

// A part knows which numbers of a wave are a share's.
type part struct {
	Share
	slots int // of the whole wave; 0 in an open one
}

// nth is the number in the wave of the share's stream i. A share without slots has none.
func (p part) nth(i uint64) uint64 {
	if p.Of <= 1 {
		return i
	}
	round := uint64(0)
	if own := uint64(p.count(p.slots)); own > 0 {
		round, i = i/own, i%own
	}
	return round*uint64(p.slots) + i*uint64(p.Of) + uint64(p.Index)
}

// among is how many of the first n streams of the wave are the share's.
func (p part) among(n int) int {
	if p.slots == 0 {
		return p.count(n)
	}
	return n/p.slots*p.count(p.slots) + p.count(n%p.slots)
}
