package synth

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A Builder collects a run of one scenario or more.
type Builder struct {
	Run record.Run
	seq uint64
}

// New begins a whole run of the scenarios. Without any it is one named
// "control", behind an edge that is set up for streams.
func New(scenarios ...record.Scenario) *Builder {
	if len(scenarios) == 0 {
		scenarios = []record.Scenario{{ID: "control", Title: "No fault", Edge: "streaming"}}
	}
	b := &Builder{}
	b.Run.Plan = record.Plan{Schema: record.Schema, Tool: "test", Started: Started, Seed: 7,
		Repro: "streamproof run --seed 7",
		Host: record.Host{OS: "linux", Arch: "amd64", CPUs: 2, Clock: "kernel (SO_TIMESTAMPNS)",
			CPU: "test", Memory: 8192}, Scenarios: scenarios}
	b.Run.Finished = time.Hour
	for i := range scenarios {
		b.Run.Plan.Scenarios[i].Policy = policy(scenarios[i].Policy)
	}
	return b
}

func policy(p record.Policy) record.Policy {
	if p.GapLimit == 0 {
		p.GapLimit = 3 * time.Second
	}
	return p
}

// Scenario is the i-th scenario of the plan, to be changed at will.
func (b *Builder) Scenario(i int) *record.Scenario { return &b.Run.Plan.Scenarios[i] }

// Add adds n streams of a shape, with sequence numbers of their own, and returns
// those. Streams of one call start 1 ms apart.
func (b *Builder) Add(n int, sh Shape) []uint64 {
	var seqs []uint64
	begin := sh.Start
	for i := range n {
		b.seq++
		sh.Seq, sh.Start = b.seq, begin+time.Duration(i)*ms
		b.Run.Streams = append(b.Run.Streams, sh.Stream())
		seqs = append(seqs, b.seq)
	}
	return seqs
}

// Each adds n streams whose shape depends on their index.
func (b *Builder) Each(n int, shape func(i int) Shape) {
	for i := range n {
		b.Add(1, shape(i))
	}
}

// Cut is a fault that cuts what is in its way.
func Cut(name string) record.Fault {
	return record.Fault{Name: name, Kind: record.FaultOther, Effect: record.Cuts}
}

// Drain is a fault that asks a replica to stop.
func Drain(name string) record.Fault {
	return record.Fault{Name: name, Kind: record.FaultDrain, Effect: record.Cuts}
}

// Delay is a fault that only delays.
func Delay(name string) record.Fault {
	return record.Fault{Name: name, Kind: record.FaultOther, Effect: record.Delays}
}

// Fault stamps a fault of the first scenario, armed to healed, and confirmed.
func (b *Builder) Fault(f record.Fault, active, healed time.Duration, victims ...uint64) {
	id := b.Run.Plan.Scenarios[0].ID
	w := func(p record.Phase, at time.Duration, why string, victims []uint64) {
		b.Run.Windows = append(b.Run.Windows, record.Window{Scenario: id, Fault: f, Phase: p, At: at, Why: why,
			Victims: victims})
	}
	w(record.Armed, 0, "when every victim has 3 events", nil)
	w(record.Active, active, "every victim had received 3 events", nil)
	w(record.Healed, healed, "", nil)
	w(record.Confirmed, healed, "seen in its victims", victims)
}

// Happen adds an event of a process, container or relay to the first scenario.
func (b *Builder) Happen(e record.Event) {
	e.Scenario = b.Run.Plan.Scenarios[0].ID
	b.Run.Events = append(b.Run.Events, e)
}

// A LogLine is a line and when it was written.
type LogLine struct {
	At   time.Duration
	Text string
}

// Log adds a log of the first scenario. No lines make an empty log, which says
// that nothing was logged.
func (b *Builder) Log(kind record.LogKind, lines ...LogLine) {
	l := record.Log{Scenario: b.Run.Plan.Scenarios[0].ID, Name: string(kind) + ".log", Kind: kind}
	for i, line := range lines {
		l.Lines = append(l.Lines, record.Line{N: i + 1, At: line.At, Text: line.Text})
	}
	b.Run.Logs = append(b.Run.Logs, l)
}

// Note adds a note to the first scenario.
func (b *Builder) Note(kind record.NoteKind, text, settle string) {
	b.Run.Notes = append(b.Run.Notes, record.Note{Scenario: b.Run.Plan.Scenarios[0].ID, Kind: kind, Text: text,
		Settle: settle})
}

// Ledger adds the server's account of a stream that we left.
func (b *Builder) Ledger(l record.Ledger) {
	l.Scenario = b.Run.Plan.Scenarios[0].ID
	b.Run.Ledgers = append(b.Run.Ledgers, l)
}

// Wave says that the load of the first scenario was sent as asked.
func (b *Builder) Wave(asked, started, late int) {
	b.Run.Waves = append(b.Run.Waves, record.Wave{Scenario: b.Run.Plan.Scenarios[0].ID, Asked: asked, Started: started,
		LateStarts: late, InBodyAtFault: -1})
}
