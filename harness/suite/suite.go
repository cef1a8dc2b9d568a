// Package suite plans what a run plays: how long it will take, and which part of it is
// one shard's.
//
//  1. [TimesOf] reads from a history how long each scenario took.
//  2. [Times.Estimate] adds that up, and says what is not known.
//  3. [Split] deals scenarios out to shards so that all take about as long, and
//     [Fingerprint] tells whether two machines made the same parts.
//
// What retries and quarantines come to is in package verdict.
package suite

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/history"
)

// Times is how long scenarios took, by their ID.
type Times map[string]time.Duration

// recent is from how many runs a time is taken: the median keeps one odd night out.
const recent = 5

// TimesOf reads how long the scenarios of an app took on a stack: the median of the last
// runs that tell, which are the last of rows. Other apps and stacks say nothing about it,
// nor do runs with other timeouts: full says which scenarios have their real length.
func TimesOf(rows []history.Row, app, stack string, full map[string]bool) Times {
	all := map[string][]time.Duration{}
	for _, r := range slices.Backward(rows) {
		if r.App != app || stack != "" && r.Stack != stack {
			continue
		}
		for _, s := range r.Scenarios {
			if s.Took > 0 && s.Full == full[s.ID] && len(all[s.ID]) < recent {
				all[s.ID] = append(all[s.ID], time.Duration(s.Took*float64(time.Second)))
			}
		}
	}
	t := Times{}
	for id, took := range all {
		slices.Sort(took)
		t[id] = took[len(took)/2]
	}
	return t
}

// An Estimate is how long scenarios will take.
type Estimate struct {
	Sum     time.Duration // of those that are known
	Known   int
	Unknown []string
}

// Estimate adds up what is known of some scenarios.
func (t Times) Estimate(ids []string) (e Estimate) {
	for _, id := range ids {
		if d := t[id]; d > 0 {
			e.Sum, e.Known = e.Sum+d, e.Known+1
		} else {
			e.Unknown = append(e.Unknown, id)
		}
	}
	return e
}

// Split deals ids out to n shards: the longest first, each to the shard that has least to
// do (Graham 1969, LPT: the longest shard takes at most 4/3 - 1/(3n) of the best). One
// whose time is not known counts as the median of the others, and where none is known all
// count alike. Each shard has its scenarios in the order of ids. The result depends on ids
// and times alone.
func Split(ids []string, t Times, n int) [][]string {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	weigh := t.weights(ids)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weigh[b], weigh[a]) })
	shards, load := make([][]int, n), make([]time.Duration, n)
	for _, i := range order {
		least := 0
		for k := range load {
			if load[k] < load[least] {
				least = k
			}
		}
		shards[least], load[least] = append(shards[least], i), load[least]+weigh[i]
	}
	out := make([][]string, n)
	for k, of := range shards {
		slices.Sort(of)
		for _, i := range of {
			out[k] = append(out[k], ids[i])
		}
	}
	return out
}

func (t Times) weights(ids []string) []time.Duration {
	var known []time.Duration
	for _, id := range ids {
		if t[id] > 0 {
			known = append(known, t[id])
		}
	}
	typical := time.Second // any, where none is known
	if len(known) > 0 {
		slices.Sort(known)
		typical = known[len(known)/2]
	}
	out := make([]time.Duration, len(ids))
	for i, id := range ids {
		out[i] = cmp.Or(t[id], typical)
	}
	return out
}

// Fingerprint is the same where all shards have the same scenarios, in 8 hex digits. Shards
// that were split by other times may leave a scenario out, each for the other to play.
func Fingerprint(shards [][]string) string {
	var b strings.Builder
	for _, s := range shards {
		b.WriteString(strings.Join(s, ",") + "\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:4])
}
