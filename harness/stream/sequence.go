package stream

import "fmt"

// A sequence follows numbers that ought to come as 1, 2, 3, … and remembers what
// went wrong: a number that is missing may still come late, so a gap and a
// reordering are told apart only at the end.
type sequence struct {
	last     int64 // the number that came last
	max      int64
	distinct int64
	holes    []hole // missing below max, in order
	lost     bool   // more holes than we are ready to remember
	twice    int64  // the first number that came again
	late     int64  // the first number that came late, and what it came after
	lateFor  int64
	again    bool // twice is set
	tardy    bool // late is set

	free  bool  // the first number may be any
	begun bool  // one came
	low   int64 // the least so far, where free
	steps int   // numbers that followed the one before by 1
	count int
}

// A hole is a range of missing numbers.
type hole struct{ from, to int64 }

// maxHoles bounds the memory of one stream. With so many holes one is never
// filled in practice, and the verdict is a gap anyway.
const maxHoles = 64

// add takes the next number. Without free it is at least 1.
func (s *sequence) add(n int64) {
	if s.free && !s.begun {
		s.begun, s.low, s.max, s.last = true, n, n-1, n
	}
	if s.count++; s.count > 1 && n == s.last+1 {
		s.steps++
	}
	switch {
	case n == s.max+1:
		s.max, s.distinct = n, s.distinct+1
	case n > s.max:
		s.skip(s.max+1, n-1)
		s.max, s.distinct = n, s.distinct+1
	case s.free && n < s.low:
		s.before(n)
		s.behind(n)
	case s.fill(n):
		s.behind(n)
	case !s.again:
		s.twice, s.again = n, true
	}
	s.last = n
}

// behind takes note of a number that came after a greater one.
func (s *sequence) behind(n int64) {
	s.distinct++
	if !s.tardy {
		s.late, s.lateFor, s.tardy = n, s.last, true
	}
}

// before takes a number below all others.
func (s *sequence) before(n int64) {
	switch {
	case n+1 == s.low:
	case len(s.holes) == maxHoles:
		s.lost = true
	default:
		s.holes = append([]hole{{n + 1, s.low - 1}}, s.holes...)
	}
	s.low = n
}

// counts reports whether the numbers count events: whether they ever go on by 1.
// Where they never do they are timestamps, offsets, or an index that stays.
func (s *sequence) counts() bool { return s.count > 1 && s.steps > 0 }

func (s *sequence) skip(from, to int64) {
	if len(s.holes) == maxHoles {
		s.lost = true
		return
	}
	s.holes = append(s.holes, hole{from, to})
}

// fill takes n out of the holes and reports whether it was in one.
func (s *sequence) fill(n int64) bool {
	for i, h := range s.holes {
		if n < h.from || n > h.to {
			continue
		}
		var rest []hole
		if h.from < n {
			rest = append(rest, hole{h.from, n - 1})
		}
		if n < h.to {
			rest = append(rest, hole{n + 1, h.to})
		}
		tail := append(rest, s.holes[i+1:]...)
		s.holes = append(s.holes[:i], tail...)
		return true
	}
	return false
}

// fault returns what is wrong with the numbers so far, worst first, and "" if
// nothing is.
func (s *sequence) fault() (State, string) {
	switch {
	case len(s.holes) > 0:
		h := s.holes[0]
		return Gap, missing(h.from, h.to)
	case s.lost:
		return Gap, fmt.Sprintf("more than %d gaps", maxHoles)
	case s.again:
		return Duplicate, fmt.Sprintf("event %d came twice", s.twice)
	case s.tardy:
		return Reordered, fmt.Sprintf("event %d came after %d", s.late, s.lateFor)
	}
	return "", ""
}

func missing(from, to int64) string {
	if from == to {
		return fmt.Sprintf("event %d missing after %d", from, from-1)
	}
	return fmt.Sprintf("events %d to %d missing after %d", from, to, from-1)
}
