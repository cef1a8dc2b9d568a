package fault

import (
	"strings"
	"testing"
	"time"
)

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
		m    Moment
		want bool
	}{
		{"nothing is asked", When{}, Moment{}, true},
		{"all have it", When{Events: 3}, Moment{Awaited: 2, Begun: 2, Streams: []Flying{at(3), at(7)}}, true},
		{"one is behind", When{Events: 3}, Moment{Awaited: 2, Begun: 2, Streams: []Flying{at(2), at(7)}}, false},
		{"one has not started", When{Events: 3}, Moment{Awaited: 2, Begun: 1, Streams: []Flying{at(7)}}, false},
		{"one has ended", When{Events: 3}, Moment{Awaited: 2, Begun: 2, Streams: []Flying{at(3)}}, true},
		{"all have ended", When{Events: 3}, Moment{Awaited: 2, Begun: 2}, false},
		{"a control is behind", When{Events: 3}, Moment{Awaited: 1, Begun: 1, Streams: []Flying{at(3), control}}, true},
		{"a successor is behind", When{Events: 3}, Moment{Awaited: 1, Begun: 1, Streams: []Flying{at(3), later}}, true},
		{"arrivals, one has it", When{Events: 3}, Moment{Open: true, Streams: []Flying{at(3), at(0)}}, true},
		{"arrivals, none has it", When{Events: 3}, Moment{Open: true, Streams: []Flying{at(2), at(0)}}, false},
		{"enough in their body", When{Streams: 2}, Moment{Streams: []Flying{at(0), control}}, true},
		{"too few in their body", When{Streams: 2}, Moment{Streams: []Flying{at(0), {Victim: true}}}, false},
		{"enough on the replica", When{Streams: 2, Replica: "app[1]"}, Moment{Streams: []Flying{on("app[1]"), on("app[0]"), on("app[1]")}}, true},
		{"too few on the replica", When{Streams: 2, Replica: "app[1]"}, Moment{Streams: []Flying{on("app[1]"), on("app[0]"), on("")}}, false},
		{"first heartbeat", When{Heartbeats: 1}, Moment{Streams: []Flying{at(3), beats}}, true},
		{"no heartbeat", When{Heartbeats: 1}, Moment{Streams: []Flying{at(3)}}, false},
		{"time has passed", When{After: time.Second}, Moment{Since: time.Second}, true},
		{"time has not passed", When{After: time.Second}, Moment{Since: time.Second - 1}, false},
		{"both hold", When{Streams: 1, After: time.Second}, Moment{Since: time.Second, Streams: []Flying{at(0)}}, true},
		{"one of both", When{Streams: 1, After: time.Second}, Moment{Since: time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.when.Met(&tc.m); got != tc.want {
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
		m      Moment
		why    string
		settle string
	}{
		{"behind", When{Events: 9}, Moment{Awaited: 2, Begun: 2, Streams: []Flying{at(2), at(9)}}, "1 of 2 victims in flight had not, the last had 2", "more events"},
		{"ended", When{Events: 9}, Moment{Awaited: 2, Begun: 2}, "no victim was left in flight", "more events"},
		{"not started", When{Events: 9}, Moment{Awaited: 2, Begun: 1, Streams: []Flying{at(9)}}, "1 of 2 victims had started", "more events"},
		{"streams", When{Streams: 4, Replica: "app[1]"}, Moment{}, "need >= 4 streams in their body on app[1] at once, saw 0", "longer streams"},
		{"heartbeats", When{Heartbeats: 2}, Moment{}, "need >= 2 heartbeats in the streams in flight, saw 0", "let the app send heartbeats"},
		{"time", When{After: time.Minute}, Moment{Since: time.Second}, "before 1m0s had passed", "longer streams"},
		{"together", When{Streams: 1}, Moment{Streams: []Flying{at(0)}}, "never held as a whole", "less at the same time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := tc.when.Missed(&tc.m)
			if !strings.Contains(e.Why, tc.why) || !strings.Contains(e.Settle, tc.settle) {
				t.Errorf("got %q, settle %q", e.Why, e.Settle)
			}
		})
	}
}
