package chain

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// threads follows how many threads each process of a replica has, and tells of
// heights: a full pool shows as one that is reached and kept. The zero value is
// ready.
type threads struct {
	last, told map[int]int // by pid
}

// fewThreads are not worth an event: a runtime's own.
const fewThreads = 16

// look takes the counts of now, by pid, and returns an event for each process
// that has more threads than were told before and had as many at the last look.
func (t *threads) look(at time.Duration, replica string, now map[int]int) (news []stack.Event) {
	if t.told == nil {
		t.told = map[int]int{}
	}
	for _, pid := range slices.Sorted(maps.Keys(now)) {
		if n := now[pid]; n >= fewThreads && n == t.last[pid] && n > t.told[pid] {
			t.told[pid] = n
			news = append(news, stack.Event{At: at, Source: record.ProcessSource, Kind: record.KindThreads, Subject: replica,
				Pid: pid, Value: int64(n),
				Text: fmt.Sprintf("%d threads", n)})
		}
	}
	t.last = now
	return news
}
