package verdict

import (
	"maps"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// Memory may grow by the larger of a share of where it began and a few MiB: a
// runtime keeps what it has once needed.
const (
	growth      = 0.5
	growthBytes = 24 << 20
)

// memory compares the app's memory before the load with that after it.
func (s *Scope) memory() Answer {
	const name = "memory back to where it began"
	first, last := map[string]int64{}, map[string]int64{}
	for _, e := range s.Events {
		if !e.Of(record.MemoryCounter) {
			continue
		}
		if _, seen := first[e.Subject]; !seen {
			first[e.Subject] = e.Value
			continue
		}
		last[e.Subject] = e.Value
	}
	if len(last) == 0 && s.lacks(func(a *record.Abilities) bool { return a.Started }) {
		return s.inapplicable(name, next(NextStartApp), fact{Kind: FactNotOurs, Name: memoryUse})
	}
	if len(last) == 0 {
		return unsure(name, next(NextLinux), fact{Kind: FactNoReadings, N: len(first)}).obliges()
	}
	// The one that grew most is told; of several alike the first by name.
	worst := ""
	for _, replica := range slices.Sorted(maps.Keys(last)) {
		if worst == "" || last[replica]-first[replica] > last[worst]-first[worst] {
			worst = replica
		}
	}
	began, now := first[worst], last[worst]
	if grown := now - began; grown > growthBytes && float64(grown) > growth*float64(began) {
		return fail(name, fact{Kind: FactGrew, Name: worst, Bytes: began, More: now, Of: len(s.Streams)})
	}
	return pass(name, fact{Kind: FactMemory, Name: worst, Bytes: began, More: now, Of: len(s.Streams)}).obliges()
}
