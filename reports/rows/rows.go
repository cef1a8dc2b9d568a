// Package rows writes a run as tables for analysts: a row for each stream, each event
// and each phase of a fault, as CSV and as Parquet.
//
//  1. [Parse] reads where the tables go: a folder, or a file whose ending names the format.
//  2. [Create] opens the files beside the names that they will have, [Export.Add] appends
//     the rows of one part of a record, and [Export.Close] gives the files their names:
//     whoever reads one never meets half of it. Little more than a part of the record is
//     in memory at a time.
//  3. A column is a field of [Stream], [Event] or [Fault]: its tags hold its name, its unit
//     and its meaning, from which [Columns] makes the glossary of reports/README.md.
package rows

import (
	"reflect"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// A Stream is a row of the table streams. Its names are those of streams.jsonl where that
// has the same. Times are seconds from the run's start, nil where they did not come.
type Stream struct {
	Run          time.Time `parquet:"run,timestamp(microsecond)" doc:"When the run started, in UTC: time 0 of all others."`
	Seq          uint64    `parquet:"seq" doc:"Number of the stream in the run, from 1."`
	Nonce        string    `parquet:"nonce" doc:"Its X-Request-ID."`
	Scenario     string    `parquet:"scenario,dict" doc:"ID of its scenario."`
	Group        string    `parquet:"group,dict" doc:"Its part in the scenario: victim, control, load, recovery, baseline, solo, browser, probe."`
	Hop          string    `parquet:"hop,dict" doc:"Where it entered the chain."`
	Struck       bool      `parquet:"struck" doc:"Whether a fault of ours was in its way."`
	Outcome      string    `parquet:"outcome,dict" doc:"Its outcome, see Outcomes."`
	Content      string    `parquet:"content,dict" doc:"State of its content: complete, prefix, corrupt and so on."`
	Ending       string    `parquet:"ending,dict" doc:"How it ended on the wire."`
	Flags        string    `parquet:"flags,dict" doc:"What else is wrong with it, with semicolons in between."`
	Why          string    `parquet:"why,dict" doc:"What decided the outcome, in words; empty where nothing went wrong."`
	Status       int32     `parquet:"status" doc:"Status code of the response, 0 without one."`
	Protocol     string    `parquet:"protocol,dict" doc:"HTTP/1.1 or HTTP/2.0."`
	ContentType  string    `parquet:"content_type,dict" doc:"Media type of the response."`
	Framing      string    `parquet:"framing,dict" doc:"How the end of the body was marked: chunked, length, close, h2, none."`
	Limit        string    `parquet:"limit,dict" doc:"Which bound of ours ended it; empty for none."`
	Sched        *float64  `parquet:"t_sched,optional" unit:"s" doc:"When it was due."`
	Send         *float64  `parquet:"t_send,optional" unit:"s" doc:"When its request was written."`
	Connect      *float64  `parquet:"t_connect,optional" unit:"s" doc:"When its connection stood."`
	Headers      *float64  `parquet:"t_headers,optional" unit:"s" doc:"When the response head was whole."`
	First        *float64  `parquet:"t_first,optional" unit:"s" doc:"When its first content event arrived."`
	Last         *float64  `parquet:"t_last,optional" unit:"s" doc:"When its last event arrived, of any kind."`
	Terminal     *float64  `parquet:"t_terminal,optional" unit:"s" doc:"When its terminal event arrived."`
	End          *float64  `parquet:"t_end,optional" unit:"s" doc:"When it ended."`
	FirstEvent   *float64  `parquet:"first_event,optional" unit:"s" doc:"From the request to the first content event (TTFT)."`
	Duration     *float64  `parquet:"duration,optional" unit:"s" doc:"From the request to the end."`
	MaxGap       float64   `parquet:"max_gap" unit:"s" doc:"Its longest silence, before the first and behind the last event included."`
	MaxGapAt     *float64  `parquet:"t_max_gap,optional" unit:"s" doc:"When that silence began."`
	Events       int64     `parquet:"events" doc:"Content events."`
	Heartbeats   int64     `parquet:"heartbeats" doc:"Events and comments that carry nothing."`
	Omitted      int64     `parquet:"events_omitted" doc:"Events that the bound of 256 KiB per stream keeps out of the table events."`
	Bytes        int64     `parquet:"bytes" unit:"B" doc:"Body without its framing, before decompression."`
	WireBytes    int64     `parquet:"wire_bytes" unit:"B" doc:"All that was read from the socket."`
	OutputTokens int64     `parquet:"output_tokens" doc:"As the server counts them; 0 where it does not."`
	LateStart    bool      `parquet:"late_start" doc:"Whether it started later than the load asked for."`
	After        uint64    `parquet:"after" doc:"The stream after which its client asked again; 0 for the first of a turn."`
	Session      uint64    `parquet:"session" doc:"The first stream of its session; 0 for a stream of its own."`
	Turn         int32     `parquet:"turn" doc:"Which turn of the session it is, from 1; 0 for a stream of its own."`
	Turns        int32     `parquet:"turns" doc:"How many turns the session was to have."`
	AnswerCut    bool      `parquet:"answer_cut" doc:"Whether the next turn got only the first MiB of its answer."`
	Replica      string    `parquet:"replica,dict" doc:"Who served it, where that is known: app[1]."`
	Worker       string    `parquet:"worker,dict" doc:"The process that served it, where it says so."`
	Upstream     string    `parquet:"upstream,dict" doc:"Address of the replica, as the edge reported it."`
}

// An Event is a row of the table events: one event of one stream.
type Event struct {
	Seq      uint64   `parquet:"seq" doc:"Number of its stream."`
	Scenario string   `parquet:"scenario,dict" doc:"ID of the scenario."`
	Group    string   `parquet:"group,dict" doc:"Group of the stream."`
	Index    int64    `parquet:"event" doc:"Which event of the stream it is, of any kind, from 1."`
	Kind     string   `parquet:"kind,dict" doc:"content, meta, heartbeat, terminal or error."`
	At       float64  `parquet:"t" unit:"s" doc:"When it arrived, at the latest."`
	Early    float64  `parquet:"t_earliest" unit:"s" doc:"When it arrived, at the earliest: less than t where one read returned several."`
	Since    *float64 `parquet:"since,optional" unit:"s" doc:"Time since the content event before it; empty before the first."`
	Number   *int64   `parquet:"number,optional" doc:"Its own number, where the dialect or --order gives one."`
	Emitted  *float64 `parquet:"t_emitted,optional" unit:"s" doc:"When the server wrote it, by the server's clock, where it says so."`
	Bytes    int64    `parquet:"bytes" unit:"B" doc:"Its size in the body."`
}

// A Fault is a row of the table faults: a phase of one fault.
type Fault struct {
	Scenario string  `parquet:"scenario,dict" doc:"ID of the scenario."`
	Fault    string  `parquet:"fault,dict" doc:"The fault, as reports name it."`
	Kind     string  `parquet:"kind,dict" doc:"What sort it is: latency, kill-worker, rst and so on."`
	Effect   string  `parquet:"effect,dict" doc:"Whether it cuts or delays streams."`
	Phase    string  `parquet:"phase,dict" doc:"armed, active, confirmed, healed or recovered."`
	At       float64 `parquet:"t" unit:"s" doc:"When the phase began."`
	Why      string  `parquet:"why" doc:"Its condition or its evidence, in words."`
	Victims  int64   `parquet:"victims" doc:"How many streams it picked, where it picks streams."`
}

// A Column is one of a table.
type Column struct{ Table, Name, Unit, Doc string }

// Columns are those of all tables, in their order.
func Columns() (all []Column) {
	for _, t := range []struct {
		name string
		row  reflect.Type
	}{{streams, reflect.TypeFor[Stream]()}, {events, reflect.TypeFor[Event]()}, {faults, reflect.TypeFor[Fault]()}} {
		for i := range t.row.NumField() {
			f := t.row.Field(i)
			all = append(all, Column{t.name, nameOf(f), f.Tag.Get("unit"), f.Tag.Get("doc")})
		}
	}
	return all
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
	return name
}

// streamOf makes the row of a stream of a run that started at a time.
func streamOf(run time.Time, g *verdict.Graded) Stream {
	s := g.Stream
	row := Stream{Run: run.UTC(), Seq: s.Seq, Nonce: s.Nonce, Scenario: s.Scenario, Group: string(s.Group), Hop: s.Hop,
		Struck: g.Struck, Outcome: string(g.Grade.Outcome), Content: string(g.Grade.Content), Ending: string(g.Grade.Ending),
		Why: reports.Reason(g.Grade), Status: int32(s.Status), Protocol: s.Proto, ContentType: s.ContentType,
		Framing: string(s.Wire.Framing), Limit: string(s.Limit), Sched: seconds(s.Sched), Send: seconds(s.Send),
		Connect: seconds(s.Connect), Headers: seconds(s.Headers), First: seconds(s.First), Last: seconds(s.Last),
		Terminal: seconds(s.TerminalAt), End: seconds(s.End), MaxGap: max(s.MaxGap, 0).Seconds(), Events: int64(s.Contents),
		Heartbeats: int64(s.Heartbeats), Omitted: int64(s.Omitted), Bytes: s.Bytes, WireBytes: s.WireBytes,
		OutputTokens: s.Content.Usage.Output, LateStart: s.Late, After: s.After, Session: s.Session, Turn: int32(s.Turn),
		Turns: int32(s.Turns), AnswerCut: s.AnswerCut, Replica: s.Replica, Worker: s.Content.Worker,
		Upstream: s.Header[stack.ReplicaHeader]}
	var flags []string
	for _, f := range g.Grade.Flags {
		flags = append(flags, string(f))
	}
	row.Flags = strings.Join(flags, ";")
	if s.MaxGap > 0 {
		row.MaxGapAt = seconds(s.MaxGapAt)
	}
	if d, ok := verdict.TTFE(s); ok {
		row.FirstEvent = seconds(d)
	}
	if d, ok := verdict.DurationOf(s); ok {
		row.Duration = seconds(d)
	}
	return row
}

// seconds is a time of the record, nil for one that did not come.
func seconds(d time.Duration) *float64 {
	if d == record.Never {
		return nil
	}
	s := d.Seconds()
	return &s
}

func faultOf(w *record.Window) Fault {
	return Fault{Scenario: w.Scenario, Fault: w.Fault.Name, Kind: string(w.Fault.Kind), Effect: string(w.Fault.Effect),
		Phase: string(w.Phase), At: w.At.Seconds(), Why: w.Why, Victims: int64(len(w.Victims))}
}
