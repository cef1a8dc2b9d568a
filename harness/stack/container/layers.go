package container

import (
	"maps"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

// Layers implements [chain.Layered]: the container's limits and what its command line
// says of timeouts.
func (r *replica) Layers() []stack.Layer {
	s := r.s
	f := &s.plan.form
	set := map[string]string{"grace after SIGTERM": s.spec.App.Grace.String()}
	if f.memory > 0 {
		set["container.memory"] = bytesText(f.memory)
	}
	if f.cpus > 0 {
		set["container.cpus"] = text(f.cpus)
	}
	if f.pids > 0 {
		set["container.pids"] = text(f.pids)
	}
	maps.Copy(set, s.watch.command())
	return []stack.Layer{{Name: "app", Settings: set}}
}

// readCommand reads a command line, also one that a file of settings may
// overrule: it is what it says, and the report calls it that.
func readCommand(command string) map[string]string {
	set := map[string]string{"command": command}
	server, found := settings.Command(settings.Shell([]string{command}))
	for name, value := range found {
		set[server+"."+name] = value
	}
	return set
}
