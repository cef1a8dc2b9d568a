package fault

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Cutter is a fault that ends connections or refuses them: what it hits may
// break off. All others only delay.
type Cutter interface{ Cuts() bool }

// A Kinder is a fault that knows of which kind it is. Others are [record.FaultOther].
type Kinder interface{ Kind() record.FaultKind }

// Nature is what the record says of a fault under a name.
func Nature(f Fault, name string) record.Fault {
	kind := record.FaultOther
	if k, ok := f.(Kinder); ok {
		kind = k.Kind()
	}
	links, known := linksOf(f)
	_, weather := f.(Weather)
	return record.Fault{Name: name, Kind: kind, Effect: EffectOf(f), Links: links, MidStream: known && !weather}
}

// EffectOf says what a fault does to the connections in its way.
func EffectOf(f Fault) record.Effect {
	if Cuts(f) {
		return record.Cuts
	}
	return record.Delays
}

// Cuts reports whether f, or a part of it, ends connections.
func Cuts(f Fault) bool {
	if c, ok := f.(Cutter); ok {
		return c.Cuts()
	}
	if m, ok := f.(interface{ members() []Fault }); ok {
		return slices.ContainsFunc(m.members(), Cuts)
	}
	return false
}

// What ends processes or takes links down cuts.
func (Crash) Cuts() bool      { return true }
func (KillWorker) Cuts() bool { return true }
func (MemoryKill) Cuts() bool { return true }
func (Drain) Cuts() bool      { return true }
func (Down) Cuts() bool       { return true }

// Cuts: a stream that is held up, or has a byte changed, goes on.
func (f Strike) Cuts() bool { return f.Action != stack.Hold && f.Action != stack.Flip }

// Cuts if any of the strikes does.
func (f Strikes) Cuts() bool { return slices.ContainsFunc(f, Strike.Cuts) }

// Cuts by the toxics that close connections themselves (toxiproxy, README).
func (f Toxic) Cuts() bool   { return closes(f.Toxic) }
func (f Weather) Cuts() bool { return closes(f.Toxic) }
func (f Timed) Cuts() bool   { return Cuts(f.Fault) }

func closes(t stack.Toxic) bool {
	return t.Type == "limit_data" || t.Type == "timeout" || t.Type == "reset_peer"
}

func (Crash) Kind() record.FaultKind      { return record.FaultCrash }
func (KillWorker) Kind() record.FaultKind { return record.FaultKill }
func (MemoryKill) Kind() record.FaultKind { return record.FaultMemory }
func (Drain) Kind() record.FaultKind      { return record.FaultDrain }
func (Down) Kind() record.FaultKind       { return record.FaultDown }
func (Deploy) Kind() record.FaultKind     { return record.FaultDeploy }
func (ScaleIn) Kind() record.FaultKind    { return record.FaultScaleIn }
func (NodeDrain) Kind() record.FaultKind  { return record.FaultNodeDrain }
func (ScaleOut) Kind() record.FaultKind   { return record.FaultScaleOut }
func (Reload) Kind() record.FaultKind     { return record.FaultReload }
func (Pause) Kind() record.FaultKind      { return record.FaultPause }
func (Squeeze) Kind() record.FaultKind    { return record.FaultSqueeze }
func (Watch) Kind() record.FaultKind      { return record.FaultWatch }
func (f Toxic) Kind() record.FaultKind    { return record.FaultKind(f.Toxic.Type) }
func (f Weather) Kind() record.FaultKind  { return record.FaultKind(f.Toxic.Type) }
func (f Strike) Kind() record.FaultKind   { return record.FaultKind(f.Action) }

// Kind is that of its strikes where they are all alike.
func (f Strikes) Kind() record.FaultKind {
	if len(f) > 0 && !slices.ContainsFunc(f, func(s Strike) bool { return s.Action != f[0].Action }) {
		return f[0].Kind()
	}
	return record.FaultStrikes
}
