package fault

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A link that went down is shown by streams that it ended, not by streams that were open and went on.
func TestDownIsConfirmedByWhomItCut(t *testing.T) {
	events := []record.Event{{Source: record.FaultSource, Kind: record.KindDown, Subject: "upstream", At: 100 * ms}}
	until := func(seq uint64, last time.Duration) *record.Stream {
		st := on("", seq, 0, 0)
		st.Last, st.End = last, last+10*ms
		return st
	}
	for name, tt := range map[string]struct {
		streams []*record.Stream
		want    bool
	}{
		"all ended":                {[]*record.Stream{until(1, 90*ms), until(2, 100*ms)}, true},
		"one did":                  {[]*record.Stream{until(1, 90*ms), until(2, 5*time.Second)}, true},
		"bytes were under way":     {[]*record.Stream{until(1, 600*ms)}, true},
		"all went on":              {[]*record.Stream{until(1, 3*time.Second), until(2, 5*time.Second)}, false},
		"nobody was there by then": {[]*record.Stream{until(1, 50*ms)}, false},
	} {
		for _, f := range []Down{{Link: "upstream"}, {Link: "upstream", One: true}} {
			if p := f.Confirm(Seen{Events: events, Streams: these(tt.streams...)}); p.OK != tt.want {
				t.Errorf("%v, %s: %+v, want %t", f, name, p, tt.want)
			}
		}
	}
}

// A crash of a replica is not shown by streams that were over, whether or not they say where they were.
func TestCrashUnderNobodyIsNotConfirmed(t *testing.T) {
	events := []record.Event{{Source: record.FaultSource, Kind: record.KindCrash, Subject: "app[1]", At: 100 * ms}}
	for _, replica := range []string{"", "app[1]"} {
		for end, want := range map[int]bool{50: false, 150: true} {
			if p := (Crash{}).Confirm(Seen{Events: events, Streams: these(on(replica, 1, 0, end))}); p.OK != want {
				t.Errorf("on %q until %d ms: %+v, want %t", replica, end, p, want)
			}
		}
	}
}
