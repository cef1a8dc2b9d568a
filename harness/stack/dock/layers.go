package dock

import (
	"maps"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

// Layers implements [stack.Stack].
func (s *Stack) Layers() []stack.Layer {
	list := s.spec.Balancer()
	list = append(list, stack.Layer{Name: "toxiproxy edge", Settings: toxicSettings(s.spec.Toxics[stack.EdgeLink])})
	if s.edge != nil {
		list = append(list, s.edge.Layer())
	}
	list = append(list, stack.Layer{Name: "toxiproxy upstream", Settings: toxicSettings(s.spec.Toxics[stack.UpstreamLink])},
		stack.Layer{Name: "app", Settings: s.appSettings()})
	return list
}

func toxicSettings(toxics []stack.Toxic) map[string]string {
	set := map[string]string{"reset from behind it": "passed on as FIN"}
	for _, t := range toxics {
		for key, value := range t.Attr {
			set[t.Type+"."+key] = text(value)
		}
	}
	return set
}

// appSettings are the container's limits and what its command line says of
// timeouts.
func (s *Stack) appSettings() map[string]string {
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
	return set
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
