package record

import (
	"slices"
	"time"
)

// A Suite says how the scenarios of a run were chosen, and how their verdicts are put
// together. The zero value is scenarios that were named singly, each played once.
type Suite struct {
	Name string `json:"name,omitempty"` // "smoke", or one of the user's; "" where scenarios were named singly
	// Shard is which of Shards parts of the suite the run played, from 1; 0 for all of it.
	Shard  int `json:"shard,omitempty"`
	Shards int `json:"shards,omitempty"`
	// Split is a fingerprint of the parts: where it is the same in all shards, they play
	// everything, and nothing twice. All are the scenarios of all parts.
	Split string   `json:"split,omitempty"`
	All   []string `json:"all,omitempty"`
	// Retries is how often a scenario that does not pass is played again, and Retry
	// which of these the run is; 0 for the first time.
	Retries int `json:"retries,omitempty"`
	Retry   int `json:"retry,omitempty"`
	// FlakyPasses says that a scenario which failed and then passed lets the run pass.
	FlakyPasses bool `json:"flaky_passes,omitempty"`
	// Able says that what cannot be played here does not count, except where it is
	// required.
	Able       bool         `json:"able,omitempty"`
	Quarantine []Quarantine `json:"quarantine,omitempty"`
}

// IsZero reports whether nothing was chosen or set.
func (s Suite) IsZero() bool {
	return s.Name == "" && s.Shards == 0 && s.Retries == 0 && s.Retry == 0 && !s.FlakyPasses && !s.Able &&
		len(s.Quarantine) == 0
}

// Quarantined is the quarantine of a scenario, nil for none.
func (s Suite) Quarantined(scenario string) *Quarantine {
	i := slices.IndexFunc(s.Quarantine, func(q Quarantine) bool { return q.Scenario == scenario })
	if i < 0 {
		return nil
	}
	return &s.Quarantine[i]
}

// A Quarantine excuses one scenario for a time.
type Quarantine struct {
	Scenario string `json:"scenario"`
	Reason   string `json:"reason"`
	Until    Day    `json:"until"` // the last day on which it holds
}

// A Day is a date as ISO 8601 writes it, 2026-12-31. It is a day of UTC, so that it ends
// at the same moment everywhere.
type Day string

// Over reports whether the day is over at a time. A day that is none is over.
func (d Day) Over(at time.Time) bool {
	day, err := time.Parse(time.DateOnly, string(d))
	return err != nil || !at.Before(day.AddDate(0, 0, 1))
}
