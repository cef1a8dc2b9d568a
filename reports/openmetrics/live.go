package openmetrics

import (
	"strconv"
	"sync"

	dto "github.com/prometheus/client_model/go"

	"github.com/streamproof/streamproof/harness"
)

type families = []*dto.MetricFamily

// A Live shows how a run goes. Its methods may be called at the same time.
type Live struct {
	mu        sync.Mutex // guards what follows
	scenarios []harness.Progress
}

// Update takes what the run says of itself; of each scenario the last word counts.
func (l *Live) Update(p harness.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.scenarios); n > 0 && l.scenarios[n-1].Index == p.Index {
		l.scenarios[n-1] = p
		return
	}
	l.scenarios = append(l.scenarios, p)
}

// Gather implements [prometheus.Gatherer].
func (l *Live) Gather() (families, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := newSet()
	for i, p := range l.scenarios {
		s.count("streamproof_live_started_total", float64(p.Started), p.Scenario)
		s.count("streamproof_live_ended_total", float64(p.Whole), p.Scenario, strconv.FormatBool(true))
		s.count("streamproof_live_ended_total", float64(p.Ended-p.Whole), p.Scenario, strconv.FormatBool(false))
		if i < len(l.scenarios)-1 {
			continue
		}
		s.gauge("streamproof_live_info", 1, p.Scenario, p.Phase)
		s.gauge("streamproof_live_streams", float64(p.Live), p.Scenario)
		s.gauge("streamproof_live_elapsed_seconds", p.Elapsed.Seconds())
	}
	return s.Gather()
}
