package scenarios_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
)

// sabotage breaks a share of the streams, one by one.
func sabotage(name string) func(*harness.Options) {
	return func(o *harness.Options) { o.Sabotage = harness.Sabotage{Name: name, Share: 0.5} }
}

// args makes the origin misbehave as a whole.
func args(list ...string) func(*harness.Options) {
	return func(o *harness.Options) { o.App.Args = list }
}

// form puts another edge in the place of the scenario's.
func form(f stack.EdgeForm) func(*harness.Options) {
	return func(o *harness.Options) { o.App.Edge.Form = f }
}

func readTimeout(d time.Duration) func(*harness.Options) {
	return func(o *harness.Options) { o.App.Edge.ReadTimeout = d }
}

// fragile is an app that does not give back the places of clients that it lost:
// when all have been cut, it is full.
func fragile(o *harness.Options) {
	o.App.Args = []string{"--capacity", "11", "--keep-slots"}
	o.Scenarios[0].Share = 1
	o.Scenarios[0].Policy.Recovery = 2 * time.Second // that it never does need not be waited for
}

// hoarder leaves memory behind with each stream, before an edge with its defaults.
func hoarder(o *harness.Options) {
	o.App.Args = []string{"--hoard", "4194304"}
	o.App.Edge.Form = stack.EdgeDefault
}

// laxEdge lets all streams in.
func laxEdge(list ...string) func(*harness.Options) {
	return func(o *harness.Options) {
		o.App.Edge.Conns = 1000
		o.App.Args = list
	}
}

func load(l harness.Load) func(*harness.Options) {
	return func(o *harness.Options) { o.Load = l }
}

// once sends each stream once, whatever the scenario asks for.
// Before several streams one is sent alone, so that they ask again.
func once(o *harness.Options) { o.Scenarios[0].Load, o.Load.Streams = harness.Load{}, 1 }

func header(name, value string) func(*harness.Options) {
	return func(o *harness.Options) { o.App.Stream.Headers = map[string]string{name: value} }
}

// plainText answers in a form that proves nothing about its end.
func plainText(o *harness.Options) {
	o.App.Stream.Path, o.App.Stream.Dialect = "/stream?format=text", "text"
}

func oneEvent(o *harness.Options) { o.Scenarios[0].Shape.Events = 1 }

func noPause(o *harness.Options) {
	o.Scenarios[0].Shape.Pause, o.Scenarios[0].Shape.PauseAt = 0, 0
}

// neverAbort has the clients wait for an event that never comes.
func neverAbort(o *harness.Options) { o.Scenarios[0].Client.Abort.AfterEvents = 1_000_000 }

// quickClients take all that comes, into a buffer of the system's: a small one
// alone makes the server wait on a busy machine.
func quickClients(o *harness.Options) { o.Scenarios[0].Client.Read = harness.Reading{Rate: 1 << 30} }

// streamedOnly is an app of which nobody knows how to ask for one piece, although
// the user requires the comparison.
func streamedOnly(o *harness.Options) {
	o.Scenarios[0].Required = true
	self, err := os.Executable()
	if err != nil {
		panic(err) // there is no test without it
	}
	o.App = harness.App{Command: []string{self, "streamproof:origin", "--listen", "127.0.0.1:{port}"}, Health: "/healthz",
		Stream: harness.Stream{Path: "/stream", Dialect: "origin"}}
}

const python = "/usr/bin/python3" // Debian's, which has Debian's packages

func needGunicorn(t *testing.T) {
	t.Helper()
	if exec.Command(python, "-c", "import gunicorn").Run() != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_FASTAPI") != "" {
			t.Fatal("gunicorn is required here and is not installed")
		}
		t.Skip("no gunicorn for " + python + ": 'make setup' installs it")
	}
}

// syncWorkers serve one stream at a time, and do not tell their master that they
// live while they do.
func syncWorkers(o *harness.Options) {
	o.Load.Streams = 2
	o.Scenarios[0].Shape.Events = 40
	o.App = harness.App{Command: []string{python, "-m", "gunicorn", "-w", "3", "-b", "127.0.0.1:{port}", "wsgi:app"}, Dir: "../docker/fastapi",
		Health: "/healthz", Env: []string{"PYTHONDONTWRITEBYTECODE=1"},
		Stream: harness.Stream{Path: "/chat?events={events}&gap={gap}", Dialect: "openai-chat"}}
}

// disarmed leaves a fault its name and its proof, and takes away what it does.
func disarmed(o *harness.Options) {
	f := o.Scenarios[0].Fault
	if _, self := f.(fault.Armer); self {
		o.Scenarios[0].Fault = blank{bystander{f}}
		return
	}
	o.Scenarios[0].Fault = bystander{f}
}

// A bystander is a fault that does nothing.
type bystander struct{ f fault.Fault }

func (b bystander) String() string                           { return b.f.String() }
func (bystander) Inject(context.Context, fault.Target) error { return nil }
func (bystander) Heal(context.Context, fault.Target) error   { return nil }
func (b bystander) Confirm(seen fault.Seen) fault.Proof      { return b.f.Confirm(seen) }

// A blank is one that would strike by itself.
type blank struct{ bystander }

func (blank) Arm(context.Context, fault.Target) error { return nil }
func (blank) Struck(context.Context, fault.Target) ([]stack.Struck, error) {
	return nil, nil
}
