package chain

import "testing"

// A height is told when it has held for a look, and only where it is a new one.
func TestThreads(t *testing.T) {
	var w threads
	for i, step := range []struct {
		now  map[int]int
		told int // events
		last int64
	}{
		{now: map[int]int{7: 5, 8: 20}},
		{now: map[int]int{7: 5, 8: 35}},
		{now: map[int]int{7: 5, 8: 41}},
		{now: map[int]int{7: 5, 8: 41}, told: 1, last: 41},
		{now: map[int]int{7: 5, 8: 41}},
		{now: map[int]int{7: 5, 8: 15}},
		{now: map[int]int{7: 5, 8: 15}},
		{now: map[int]int{7: 41, 8: 42}},
		{now: map[int]int{7: 41, 8: 42}, told: 2, last: 42},
		{now: map[int]int{}},
	} {
		news := w.look(0, "app[0]", step.now)
		if len(news) != step.told {
			t.Fatalf("look %d told %+v, want %d", i, news, step.told)
		}
		if step.told > 0 && news[step.told-1].Value != step.last {
			t.Errorf("look %d told %d, want %d", i, news[step.told-1].Value, step.last)
		}
	}
}
