package fault

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// An instant is a moment in short.
type instant struct {
	Since          time.Duration
	Open           bool
	Awaited, Begun int
	Streams        []Flying
}

// of is the moment for w. Every stream was in an earlier state before.
func (i instant) of(w When) *Moment {
	m := w.Moment(Turn{Open: i.Open, Awaited: i.Awaited})
	for seq, s := range i.Streams {
		m.Put(uint64(seq), Flying{Victim: s.Victim, FirstTurn: s.FirstTurn})
		m.Put(uint64(seq), s)
	}
	m.Since, m.Begun = i.Since, i.Begun
	return m
}

// at is a victim of the first turn with events.
func at(events int) Flying {
	return Flying{Victim: true, FirstTurn: true, InBody: true, Events: events}
}

func TestConditionsLookAtTheMoment(t *testing.T) {
	control := Flying{InBody: true, Events: 0, Replica: "app[0]"}
	later := Flying{Victim: true, InBody: true, Events: 0}
	on := func(replica string) Flying { return Flying{InBody: true, Replica: replica} }
	beats := Flying{Victim: true, FirstTurn: true, InBody: true, Heartbeats: 1}
	for _, tc := range []struct {
		name string
		when When
		m    instant
		want bool
	}{
		{"nothing is asked", When{}, instant{}, true},
		{"all have it", When{Events: 3}, instant{Awaited: 2, Begun: 2, Streams: []Flying{at(3), at(7)}}, true},
		{"one is behind", When{Events: 3}, instant{Awaited: 2, Begun: 2, Streams: []Flying{at(2), at(7)}}, false},
		{"one has not started", When{Events: 3}, instant{Awaited: 2, Begun: 1, Streams: []Flying{at(7)}}, false},
		{"one has ended", When{Events: 3}, instant{Awaited: 2, Begun: 2, Streams: []Flying{at(3)}}, true},
		{"all have ended", When{Events: 3}, instant{Awaited: 2, Begun: 2}, false},
		{"a control is behind", When{Events: 3}, instant{Awaited: 1, Begun: 1, Streams: []Flying{at(3), control}}, true},
		{"a successor is behind", When{Events: 3}, instant{Awaited: 1, Begun: 1, Streams: []Flying{at(3), later}}, true},
		{"arrivals, one has it", When{Events: 3}, instant{Open: true, Streams: []Flying{at(3), at(0)}}, true},
		{"arrivals, none has it", When{Events: 3}, instant{Open: true, Streams: []Flying{at(2), at(0)}}, false},
		{"enough in their body", When{Streams: 2}, instant{Streams: []Flying{at(0), control}}, true},
		{"too few in their body", When{Streams: 2}, instant{Streams: []Flying{at(0), {Victim: true}}}, false},
		{"enough on the replica", When{Streams: 2, Replica: "app[1]"},
			instant{Streams: []Flying{on("app[1]"), on("app[0]"), on("app[1]")}}, true},
		{"too few on the replica", When{Streams: 2, Replica: "app[1]"},
			instant{Streams: []Flying{on("app[1]"), on("app[0]"), on("")}}, false},
		{"first heartbeat", When{Heartbeats: 1}, instant{Streams: []Flying{at(3), beats}}, true},
		{"no heartbeat", When{Heartbeats: 1}, instant{Streams: []Flying{at(3)}}, false},
		{"time has passed", When{After: time.Second}, instant{Since: time.Second}, true},
		{"time has not passed", When{After: time.Second}, instant{Since: time.Second - 1}, false},
		{"both hold", When{Streams: 1, After: time.Second}, instant{Since: time.Second, Streams: []Flying{at(0)}}, true},
		{"one of both", When{Streams: 1, After: time.Second}, instant{Since: time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.m.of(tc.when).Met(); got != tc.want {
				t.Errorf("%s: %v, want %v", tc.when, got, tc.want)
			}
		})
	}
}

func TestConditionsSayWhatTheyAre(t *testing.T) {
	for want, when := range map[string]When{
		"at once": {},
		"every victim had received 3 events and 2s had passed": {Events: 3, After: 2 * time.Second},
		"5 streams were in their body on app[1]":               {Streams: 5, Replica: "app[1]"},
		"the first heartbeat was seen":                         {Heartbeats: 1},
	} {
		if got := when.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMissedConditionSaysWhatWasSeenAndWhatWouldSettleIt(t *testing.T) {
	for _, tc := range []struct {
		name   string
		when   When
		m      instant
		why    string
		settle string
	}{
		{"behind", When{Events: 9}, instant{Awaited: 2, Begun: 2, Streams: []Flying{at(2), at(9)}},
			"1 of 2 victims in flight had not, the last had 2", "more events"},
		{"ended", When{Events: 9}, instant{Awaited: 2, Begun: 2}, "no victim was left in flight", "more events"},
		{"not started", When{Events: 9}, instant{Awaited: 2, Begun: 1, Streams: []Flying{at(9)}},
			"1 of 2 victims had started", "more events"},
		{"streams", When{Streams: 4, Replica: "app[1]"}, instant{},
			"need >= 4 streams in their body on app[1] at once, saw 0", "longer streams"},
		{"heartbeats", When{Heartbeats: 2}, instant{}, "need >= 2 heartbeats in the streams in flight, saw 0",
			"let the app send heartbeats"},
		{"time", When{After: time.Minute}, instant{Since: time.Second}, "before 1m0s had passed", "longer streams"},
		{"together", When{Streams: 1}, instant{Streams: []Flying{at(0)}}, "never held as a whole", "less at the same time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := tc.m.of(tc.when).Missed()
			if !strings.Contains(e.Why, tc.why) || !strings.Contains(e.Settle, tc.settle) {
				t.Errorf("got %q, settle %q", e.Why, e.Settle)
			}
		})
	}
}

// A moment that was counted as its streams changed is that of whoever looks at all
// of them, whatever the order of the changes.
func TestMomentFollowsItsStreams(t *testing.T) {
	w := When{Events: 5, Streams: 3, Replica: "app[1]", Heartbeats: 4}
	rng := rand.New(rand.NewPCG(1, 2))
	m, streams := w.Moment(Turn{Awaited: 10}), map[uint64]Flying{}
	for step := range 5000 {
		seq := rng.Uint64N(20)
		s := streams[seq]
		switch {
		case s == Flying{}:
			s = Flying{Victim: seq%2 == 0, FirstTurn: seq < 10}
		case rng.IntN(12) == 0:
			m.End(seq, s)
			delete(streams, seq)
			continue
		case !s.InBody:
			s.InBody, s.Replica = true, []string{"", "app[0]", "app[1]"}[rng.IntN(3)]
		default:
			s.Events++
			s.Heartbeats += rng.IntN(2)
		}
		streams[seq] = s
		m.Put(seq, s)
		fresh := w.Moment(Turn{Awaited: 10})
		for seq, s := range streams {
			fresh.Put(seq, s)
		}
		if m.there != fresh.there || m.behind != fresh.behind ||
			m.inBody != fresh.inBody || m.heartbeats != fresh.heartbeats {
			t.Fatalf("step %d: %d there, %d behind, %d in body, %d heartbeats; want %d, %d, %d, %d", step,
				m.there, m.behind, m.inBody, m.heartbeats, fresh.there, fresh.behind, fresh.inBody, fresh.heartbeats)
		}
	}
}

// A missed condition tells how near it came, though its streams have ended.
func TestMissedConditionRemembersStreamsThatEnded(t *testing.T) {
	for want, w := range map[string]When{
		"no victim was left in flight, and the longest had 7": {Events: 9},
		"saw 2 at most": {Streams: 3},
		"heartbeats in the streams in flight, saw 1 at most": {Heartbeats: 2},
	} {
		m := w.Moment(Turn{})
		long, short := at(7), at(2)
		long.Heartbeats = 1
		m.Put(1, long)
		m.Put(2, short)
		m.End(2, short)
		m.End(1, long)
		if got := m.Missed().Why; !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
