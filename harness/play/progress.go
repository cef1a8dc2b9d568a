package play

import (
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
)

// tick is how often progress is told.
const tick = 250 * time.Millisecond

// A ticker tells Options.Progress how the run goes, on a goroutine that close
// ends.
type ticker struct {
	run  *run
	stop chan struct{}
	done chan struct{}

	mu sync.Mutex // guards at
	at harness.Progress

	telling sync.Mutex // one call of Progress at a time
}

func newTicker(r *run) *ticker {
	t := &ticker{run: r, stop: make(chan struct{}), done: make(chan struct{}),
		at: harness.Progress{Total: len(r.Scenarios)}}
	go t.loop()
	return t
}

func (t *ticker) loop() {
	defer close(t.done)
	every := time.NewTicker(tick)
	defer every.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-every.C:
			t.tell()
		}
	}
}

func (t *ticker) tell() {
	if t.run.Progress == nil {
		return
	}
	t.telling.Lock()
	defer t.telling.Unlock()
	t.mu.Lock()
	p := t.at
	t.mu.Unlock()
	p.Started, p.Ended, p.Whole = t.run.seen.counts()
	p.Live, p.Elapsed = p.Started-p.Ended, t.run.now()
	t.run.Progress(p)
}

func (t *ticker) scenario(id string, index int) {
	t.mu.Lock()
	t.at.Scenario, t.at.Index, t.at.Phase = id, index, "opening"
	t.mu.Unlock()
}

// phase records what the scenario turns to, and tells at once, so that a short phase
// is seen too.
func (t *ticker) phase(step record.StepName, name string) {
	t.mu.Lock()
	t.at.Phase = name
	t.run.rec.Step(record.Step{Scenario: t.at.Scenario, At: t.run.now(), Name: step})
	t.mu.Unlock()
	t.tell()
}

// ended says that the scenario is over.
func (t *ticker) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.run.rec.Step(record.Step{Scenario: t.at.Scenario, At: t.run.now(), Name: record.StepEnd})
}

func (t *ticker) close() {
	close(t.stop)
	<-t.done
}
