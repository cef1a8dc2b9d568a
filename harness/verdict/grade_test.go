package verdict_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

const limit = 3 * time.Second

// both makes one ending out of two.
func both(a synth.End, change func(*record.Stream)) synth.End {
	return func(s *record.Stream, last time.Duration) {
		a(s, last)
		change(s)
	}
}

func limitedBy(l record.Limit) synth.End {
	return both(synth.Silent(limit), func(s *record.Stream) { s.Limit = l })
}

func noHeadBy(l record.Limit) synth.End {
	return both(synth.NoHead, func(s *record.Stream) { s.Limit, s.Wire.Close = l, record.CloseNone })
}

func TestGrade(t *testing.T) {
	closeDelimited := func(s *record.Stream) {
		s.Wire.Framing, s.Wire.Close, s.Wire.Where = record.CloseDelimited, record.CloseFIN, record.InBody
	}
	type flags = []verdict.Flag
	for _, tt := range []struct {
		name    string
		shape   synth.Shape
		outcome verdict.Outcome
		ending  verdict.Ending
		flags   flags
	}{
		{"honest", synth.Shape{}, verdict.Complete, verdict.TerminalEOF, nil},
		{"honest, body ended by the close", synth.Shape{End: both(synth.Whole, closeDelimited)},
			verdict.Complete, verdict.TerminalEOF, nil},
		{"terminal, then FIN before the last chunk", synth.Shape{End: synth.Ragged},
			verdict.Complete, verdict.CutAtTerminal, flags{verdict.Ragged}},
		{"terminal, then RST of a body ended by the close", synth.Shape{End: both(synth.Whole, func(s *record.Stream) {
			closeDelimited(s)
			s.Wire.Close = record.CloseRST
		})}, verdict.Complete, verdict.CutAtTerminal, flags{verdict.Ragged}},
		{"terminal, last chunk without its empty line", synth.Shape{End: both(synth.Ragged, func(s *record.Stream) {
			s.Wire.Where = record.BeforeLastEnd
		})}, verdict.Complete, verdict.CutAtTerminal, flags{verdict.Ragged}},
		{"terminal, connection left open", synth.Shape{End: synth.Open(limit)},
			verdict.Complete, verdict.OpenAtEnd, flags{verdict.Lingering}},
		{"terminal, left open for as long as we linger, a patient policy",
			synth.Shape{End: both(synth.Open(limit), func(s *record.Stream) {
				s.Limit, s.Wire.Lingered = record.NoLimit, limit/10
			})}, verdict.Complete, verdict.OpenAtEnd, flags{verdict.Lingering}},
		{"terminal, last chunk long after", synth.Shape{End: both(synth.Whole, func(s *record.Stream) {
			s.Wire.Lingered = 2 * time.Second
		})},
			verdict.Complete, verdict.TerminalEOF, flags{verdict.Lingering}},
		{"terminal, left open, until the run ended", synth.Shape{End: both(synth.Open(limit), func(s *record.Stream) {
			s.Limit = record.CancelledByEnd
		})},
			verdict.Complete, verdict.OpenAtEnd, flags{verdict.Lingering}},
		{"terminal as the run ended", synth.Shape{End: both(synth.Open(time.Millisecond), func(s *record.Stream) {
			s.Limit = record.CancelledByEnd
		})},
			verdict.Cancelled, verdict.CancelledEnd, nil},
		{"terminal twice", synth.Shape{End: synth.Twice}, verdict.Complete, verdict.TerminalEOF, flags{verdict.Repeated}},

		{"terminal, but the dialect wants more", synth.Shape{End: synth.Wrong(stream.Prefix, "no finish_reason")},
			verdict.Truncated, verdict.TerminalEOF, nil},
		{"clean end without terminal", synth.Shape{Keep: 7, End: synth.Clean}, verdict.Truncated, verdict.CleanEOF, nil},
		{"clean end inside a frame", synth.Shape{Keep: 7, End: synth.CleanInFrame}, verdict.Truncated, verdict.CleanEOF, nil},
		{"clean end without anything", synth.Shape{Keep: synth.KeepNone, End: synth.Clean}, verdict.Truncated,
			verdict.CleanEOF, nil},
		{"body ended by the close, no terminal", synth.Shape{Keep: 7, End: synth.ByClose}, verdict.Truncated,
			verdict.CleanEOF, nil},
		{"body ended by a reset, no terminal", synth.Shape{Keep: 7, End: both(synth.ByClose, func(s *record.Stream) {
			s.Wire.Close = record.CloseRST
		})},
			verdict.Aborted, verdict.ResetInBody, nil},

		{"FIN in a chunked body", synth.Shape{Keep: 7, End: synth.FIN}, verdict.Aborted, verdict.Incomplete, nil},
		{"FIN inside a frame", synth.Shape{Keep: 7, End: synth.FINInFrame}, verdict.Aborted, verdict.Incomplete, nil},
		{"RST in the body", synth.Shape{Keep: 7, End: synth.RST}, verdict.Aborted, verdict.ResetInBody, nil},
		{"Content-Length not reached", synth.Shape{Keep: 7, End: both(synth.FIN, func(s *record.Stream) {
			s.Wire.Framing, s.Wire.Where = record.Length, record.InBody
		})}, verdict.Aborted, verdict.Incomplete, nil},
		{"last chunk without its empty line, no terminal", synth.Shape{Keep: 7, End: both(synth.FIN, func(s *record.Stream) {
			s.Wire.Where = record.BeforeLastEnd
		})}, verdict.Aborted, verdict.Incomplete, nil},

		{"in-band error, proper end", synth.Shape{Keep: 7, End: synth.ErrorEvent}, verdict.FailedClean, verdict.ErrorEOF,
			nil},
		{"in-band error, then cut", synth.Shape{Keep: 7, End: both(synth.ErrorEvent, func(s *record.Stream) {
			s.Wire.Close, s.Wire.Where = record.CloseFIN, record.BetweenChunks
		})}, verdict.FailedClean, verdict.CutAtTerminal, flags{verdict.Ragged}},
		{"in-band error, then the sentinel of success", synth.Shape{Keep: 7, End: synth.ErrorTerminal},
			verdict.FailedClean, verdict.ErrorEOF, flags{verdict.ErrorThen}},
		{"status 503", synth.Shape{Keep: synth.KeepNone, End: synth.Status(503)}, verdict.FailedClean, verdict.HTTPError,
			nil},
		{"status 503, page cut", synth.Shape{Keep: synth.KeepNone, End: both(synth.Status(503), func(s *record.Stream) {
			s.Wire.Close, s.Wire.Where = record.CloseFIN, record.InBody
		})}, verdict.Aborted, verdict.Incomplete, nil},
		{"status 503, page never ends",
			synth.Shape{Keep: synth.KeepNone, End: both(synth.Status(503), func(s *record.Stream) {
				s.Limit, s.Wire.Where = record.GapLimit, record.InBody
			})}, verdict.Stalled, verdict.StalledEnding, nil},

		{"text that nothing proves", synth.Shape{Keep: 7, End: both(synth.ByClose, func(s *record.Stream) {
			s.Content.State, s.Content.Unprovable = stream.Prefix, true
		})}, verdict.Complete, verdict.CleanEOF, flags{verdict.Unprovable}},
		{"text that nothing proves, cut in its compressed data",
			synth.Shape{Keep: 7, End: both(synth.ByClose, func(s *record.Stream) {
				s.Content.State, s.Content.Unprovable = stream.CutFrame, true
				s.Encoding, s.Content.Why = "gzip", "inflate body: ends inside the compressed data"
			})}, verdict.Truncated, verdict.CleanEOF, nil},
		{"whole by its compressed data, then reset", synth.Shape{End: both(synth.Whole, func(s *record.Stream) {
			closeDelimited(s)
			s.Encoding, s.Wire.Close, s.Wire.Where = "gzip", record.CloseRST, record.AtEnd
		})}, verdict.Complete, verdict.TerminalEOF, nil},

		{"silent", synth.Shape{Keep: 7, End: synth.Silent(limit)}, verdict.Stalled, verdict.StalledEnding, nil},
		{"first event never came", synth.Shape{Keep: synth.KeepNone, End: limitedBy(record.FirstLimit)},
			verdict.Stalled, verdict.Deadline, flags{verdict.Late}},
		{"total limit", synth.Shape{Keep: 7, End: limitedBy(record.TotalLimit)}, verdict.Stalled, verdict.Deadline, nil},
		{"heartbeats for ever", synth.Shape{Keep: 7, End: limitedBy(record.ProgressLimit)}, verdict.Stalled,
			verdict.NoProgress, nil},
		{"total limit behind heartbeats",
			synth.Shape{Keep: 7, End: both(limitedBy(record.TotalLimit), func(s *record.Stream) {
				s.Heartbeats, s.End = 300, s.End+2*limit
			})}, verdict.Stalled, verdict.NoProgress, flags{verdict.Gappy}},

		{"refused", synth.Shape{Keep: synth.KeepNone, End: synth.NoListener}, verdict.Refused, verdict.NoConnection, nil},
		{"connect limit", synth.Shape{Keep: synth.KeepNone, End: both(synth.NoListener, func(s *record.Stream) {
			s.Limit = record.ConnectLimit
		})},
			verdict.Refused, verdict.NoConnection, nil},
		{"no head", synth.Shape{Keep: synth.KeepNone, End: synth.NoHead}, verdict.Refused, verdict.NoResponse, nil},
		{"head limit", synth.Shape{Keep: synth.KeepNone, End: noHeadBy(record.HeadersLimit)}, verdict.Refused,
			verdict.Deadline, nil},
		{"endless head", synth.Shape{Keep: synth.KeepNone, End: noHeadBy(record.HeaderSize)}, verdict.Refused,
			verdict.TooLarge, nil},

		{"endless event", synth.Shape{Keep: 7, End: limitedBy(record.FrameSize)}, verdict.Corrupt, verdict.TooLarge, nil},
		{"broken framing", synth.Shape{Keep: 7, End: synth.Garbage("invalid chunk header", false)}, verdict.Corrupt,
			verdict.BadFraming, nil},
		{"spliced", synth.Shape{Keep: 7, End: synth.Garbage("HTTP/1.1 500", true)}, verdict.Corrupt, verdict.BadFraming, nil},
		{"bytes after the end", synth.Shape{End: both(synth.Whole, func(s *record.Stream) {
			s.Wire.Where = record.AfterEnd
		})},
			verdict.Corrupt, verdict.BadFraming, nil},
		{"lost event", synth.Shape{End: synth.Wrong(stream.Gap, "event 7 missing")}, verdict.Corrupt, verdict.TerminalEOF,
			nil},
		{"duplicate", synth.Shape{End: synth.Wrong(stream.Duplicate, "event 7 twice")}, verdict.Corrupt, verdict.TerminalEOF,
			nil},
		{"reordered", synth.Shape{End: synth.Wrong(stream.Reordered, "8 before 7")}, verdict.Corrupt, verdict.TerminalEOF,
			nil},
		{"foreign", synth.Shape{End: synth.Wrong(stream.Foreign, "nonce of another")}, verdict.Corrupt, verdict.TerminalEOF,
			nil},
		{"foreign, then we left", synth.Shape{Keep: 7, End: both(synth.Left(record.CancelledByUs), func(s *record.Stream) {
			s.Content.State = stream.Foreign
		})}, verdict.Corrupt, verdict.CancelledEnd, nil},

		{"we hung up", synth.Shape{Keep: 7, End: synth.Left(record.CancelledByUs)}, verdict.Cancelled, verdict.CancelledEnd,
			nil},
		{"run ended", synth.Shape{Keep: 7, End: synth.Left(record.CancelledByEnd)}, verdict.Cancelled, verdict.CancelledEnd,
			nil},
		{"torn record", synth.Shape{Keep: 7, End: synth.Torn}, verdict.Cancelled, verdict.CancelledEnd, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shape.Stream()
			g := verdict.GradeStream(&s, record.Policy{GapLimit: limit})
			if g.Outcome != tt.outcome || g.Ending != tt.ending {
				t.Errorf("grade = %s, %s; want %s, %s", g.Outcome, g.Ending, tt.outcome, tt.ending)
			}
			if !slices.Equal(g.Flags, tt.flags) {
				t.Errorf("flags = %q, want %q", g.Flags, tt.flags)
			}
			if why := g.Outcome != verdict.Complete && g.Outcome != verdict.Cancelled; why != (g.Fact != nil) {
				t.Errorf("why = %q for %s", shown(g.Fact), g.Outcome)
			}
		})
	}
}

// The reason names the limit, its flag, and what came instead of content.
func TestGradeSaysWhichLimit(t *testing.T) {
	p := record.Policy{GapLimit: limit, FirstLimit: time.Minute, ProgressLimit: 20 * time.Second,
		TotalLimit: 5 * time.Minute}
	for _, tt := range []struct {
		limit record.Limit
		keep  int
		with  func(*record.Stream)
		want  string
	}{
		{record.FirstLimit, synth.KeepNone, func(s *record.Stream) { s.Heartbeats = 12 },
			"first limit bound=1m0s about=[only n=12]"},
		{record.FirstLimit, synth.KeepNone, func(*record.Stream) {}, "first limit bound=1m0s"},
		{record.GapLimit, 3, func(*record.Stream) {}, "gap limit n=3 bound=" + limit.String()},
		{record.ProgressLimit, 3, func(s *record.Stream) { s.Heartbeats = 19 },
			"progress limit n=3 bound=20s about=[only n=19]"},
		{record.ProgressLimit, 3, func(s *record.Stream) { s.Partial = 12 },
			"progress limit n=3 bound=20s about=[only bytes=12]"},
		{record.TotalLimit, 3, func(s *record.Stream) { s.Heartbeats, s.End = 290, s.End+290*time.Second },
			"idled n=3 took=4m53s bound=5m0s about=[only n=290]"},
		{record.TotalLimit, 3, func(*record.Stream) {}, `not over n=3 bound=5m0s name="total"`},
	} {
		s := synth.Shape{Keep: tt.keep, End: both(limitedBy(tt.limit), tt.with)}.Stream()
		if g := verdict.GradeStream(&s, p); g.Outcome != verdict.Stalled || shown(g.Fact) != tt.want {
			t.Errorf("%s: %s, %q, want stalled, %q", tt.limit, g.Outcome, shown(g.Fact), tt.want)
		}
	}
}

// Plain text whose end nothing declares is never called truncated, for nobody
// knows; and never passed as complete without saying so.
func TestGradeUnprovable(t *testing.T) {
	text := func(end synth.End) verdict.Grade {
		s := synth.Shape{End: both(end, func(s *record.Stream) {
			s.Content.Unprovable, s.Content.State = true, stream.Prefix
		})}.Stream()
		return verdict.GradeStream(&s, record.Policy{GapLimit: limit})
	}
	for name, end := range map[string]synth.End{"chunked": synth.Clean, "ended by the close": synth.ByClose} {
		if g := text(end); g.Outcome != verdict.Complete || !g.Has(verdict.Unprovable) {
			t.Errorf("%s: %+v, want complete and unprovable", name, g)
		}
	}
	if g := text(synth.FIN); g.Outcome != verdict.Aborted || g.Has(verdict.Unprovable) {
		t.Errorf("cut: %+v, want aborted", g)
	}
	if g := text(declared); g.Outcome != verdict.Complete || g.Has(verdict.Unprovable) {
		t.Errorf("with Content-Length: %+v, want complete and proved", g)
	}
	if g := text(both(declared, func(s *record.Stream) { s.Wire.Where = record.InBody })); g.Outcome == verdict.Complete {
		t.Errorf("short of its Content-Length: %+v, want a cut", g)
	}
}

// declared is a clean end of a body with a Content-Length.
var declared = both(synth.Clean, func(s *record.Stream) { s.Wire.Framing = record.Length })

// An edge that holds a text back declares the length of what it got, whole or not:
// where the app itself declares none, it proves nothing.
func TestTheLengthOfAnEdgeProvesNothing(t *testing.T) {
	unproved := func(s *record.Stream) { s.Content.Unprovable, s.Content.State = true, stream.Prefix }
	for _, tc := range []struct {
		name   string
		direct synth.End
		want   bool
	}{
		{"the app declares none", both(synth.Clean, unproved), true},
		{"the app declares it", both(declared, unproved), false},
		{"the app was not asked", nil, false},
	} {
		b := synth.New()
		if tc.direct != nil {
			b.Add(2, synth.Shape{Hop: "app", Mute: true, End: tc.direct})
		}
		through := b.Add(1, synth.Shape{Mute: true, End: both(declared, unproved)})[0]
		for _, g := range verdict.Scopes(&b.Run)[0].Streams {
			if g.Seq == through && (g.Grade.Outcome != verdict.Complete || g.Grade.Has(verdict.Unprovable) != tc.want) {
				t.Errorf("%s: %+v, want complete, unprovable %v", tc.name, g.Grade, tc.want)
			}
		}
	}
}

func TestFlags(t *testing.T) {
	user := record.Policy{GapLimit: limit, Thresholds: record.Thresholds{FirstEvent: 100 * time.Millisecond,
		MaxGap: 200 * time.Millisecond}}
	for _, tt := range []struct {
		name   string
		shape  synth.Shape
		policy record.Policy
		want   []verdict.Flag
	}{
		{"prompt", synth.Shape{}, user, nil},
		{"late by the user's bound", synth.Shape{First: 150 * time.Millisecond}, user, []verdict.Flag{verdict.Late}},
		{"no bound set", synth.Shape{First: 150 * time.Millisecond}, record.Policy{GapLimit: limit}, nil},
		{"late by the stall's measure", synth.Shape{First: 2 * limit}, record.Policy{GapLimit: limit},
			[]verdict.Flag{verdict.Late, verdict.Gappy}},
		{"gappy", synth.Shape{PauseAfter: 5, Pause: 300 * time.Millisecond}, user, []verdict.Flag{verdict.Gappy}},
		{"one burst", synth.Shape{Burst: -1}, record.Policy{}, []verdict.Flag{verdict.Buffered}},
		{"bursts of five", synth.Shape{Burst: 5, Events: 40}, record.Policy{}, []verdict.Flag{verdict.Buffered}},
		{"one stall that ended", synth.Shape{Events: 40, HoldFrom: 200 * time.Millisecond, HoldFor: time.Second},
			record.Policy{}, nil},
		{"one burst without stamps", synth.Shape{Burst: -1, Mute: true}, record.Policy{}, nil}, // a scope says more
		{"pairs of events", synth.Shape{Events: 40, Burst: 2}, record.Policy{}, nil},
		{"written at once", synth.Shape{Gap: 10 * time.Microsecond}, record.Policy{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shape.Stream()
			if g := verdict.GradeStream(&s, tt.policy); !slices.Equal(g.Flags, tt.want) {
				t.Errorf("flags = %q, want %q (buffering %+v)", g.Flags, tt.want, verdict.BufferingOf(&s))
			}
		})
	}
}

// Without stamps the direct arm of the same run says how long the app takes.
func TestBufferedAgainstTheDirectArm(t *testing.T) {
	b := synth.New()
	b.Add(5, synth.Shape{Hop: "app", Mute: true})
	live := b.Add(1, synth.Shape{Mute: true})[0]
	burst := b.Add(1, synth.Shape{Mute: true, Burst: -1})[0]
	for _, g := range verdict.Scopes(&b.Run)[0].Streams {
		if want := g.Seq == burst; g.Grade.Has(verdict.Buffered) != want {
			t.Errorf("stream %d (live is %d): buffered = %v", g.Seq, live, !want)
		}
	}
}

// A reason says a thing once.
func TestReasonsDoNotRepeatThemselves(t *testing.T) {
	s := synth.Shape{Seq: 1, Keep: 9, End: synth.Clean}.Stream()
	s.Content.Why = stream.NoTerminal(9)
	if why := shown(verdict.GradeStream(&s, record.Policy{}).Fact); why != `ended n=9 name="clean EOF without terminal"` {
		t.Errorf("why = %q", why)
	}
}

// A text that nothing proves whole is a doubt, and no reason to say at which hop it
// goes wrong; one that is held back there is.
func TestADoubtIsNoHopsFault(t *testing.T) {
	unproved := both(synth.Clean, func(s *record.Stream) { s.Content.Unprovable, s.Content.State = true, stream.Prefix })
	for burst, wrong := range map[int]string{0: "", -1: "edge"} {
		b := synth.New(record.Scenario{ID: "control", Peel: true})
		b.Run.Hops = []record.Hop{{Scenario: "control", Name: "edge"}, {Scenario: "control", Name: "app"}}
		b.Add(5, synth.Shape{Hop: "app", Mute: true, End: unproved})
		b.Add(5, synth.Shape{Hop: "edge", Mute: true, Burst: burst, End: unproved})
		got := ""
		for _, h := range verdict.Judge(&b.Run).Scenarios[0].Hops {
			if h.Wrong {
				got += h.Hop
			}
		}
		if got != wrong {
			t.Errorf("burst %d: it goes wrong at %q, want %q", burst, got, wrong)
		}
	}
}
