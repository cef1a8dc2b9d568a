package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Row is one line of streams.jsonl: a stream with its grade. Times are seconds
// from the run's start, null where they did not come.
type Row struct {
	Seq      uint64       `json:"seq"`
	Nonce    string       `json:"nonce"`
	Scenario string       `json:"scenario"`
	Group    record.Group `json:"group"`
	Outcome  Outcome      `json:"outcome"`
	Content  stream.State `json:"content"`
	Ending   Ending       `json:"ending"`
	Flags    []Flag       `json:"flags"`
	Why      string       `json:"why,omitempty"`
	Status   int          `json:"status"`
	Events   int          `json:"events"` // content events
	TSend    *float64     `json:"t_send" jsonschema:"nullable"`
	THeaders *float64     `json:"t_headers" jsonschema:"nullable"`
	TFirst   *float64     `json:"t_first" jsonschema:"nullable"`
	TEnd     *float64     `json:"t_end" jsonschema:"nullable"`
	MaxGap   float64      `json:"max_gap"`           // seconds
	Session  uint64       `json:"session,omitempty"` // its first stream, where it is a turn of several
	Turn     int          `json:"turn,omitempty"`    // which one, from 1
	Replica  string       `json:"replica"`           // who served it: "app[1]"
	Worker   string       `json:"worker"`            // its process, where it said so
	Upstream string       `json:"upstream"`          // the replica's address, as the edge reported it
}

// RowOf makes the row of one stream; reports.WriteRows words its reason.
func RowOf(g *Graded) Row {
	flags := g.Grade.Flags
	if flags == nil {
		flags = []Flag{}
	}
	return Row{Seq: g.Seq, Nonce: g.Nonce, Scenario: g.Scenario, Group: g.Group,
		Outcome: g.Grade.Outcome, Content: g.Grade.Content, Ending: g.Grade.Ending, Flags: flags,
		Status: g.Status, Events: g.Contents,
		TSend: at(g.Send), THeaders: at(g.Headers), TFirst: at(g.First), TEnd: at(g.End), MaxGap: max(g.MaxGap, 0).Seconds(),
		Session: g.Session, Turn: g.Turn,
		Replica: g.Replica, Worker: g.Content.Worker, Upstream: g.Header[stack.ReplicaHeader]}
}

func at(t time.Duration) *float64 {
	if t == record.Never {
		return nil
	}
	s := t.Seconds()
	return &s
}
