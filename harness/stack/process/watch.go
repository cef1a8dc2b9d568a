package process

import (
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// tree lists the living processes of p and all that it started.
func (p *process) tree() []chain.Process {
	ps, ok := family(p.guard.Process.Pid)
	if !ok {
		ps = descendants(p.guard.Process.Pid)
	}
	if len(ps) == 0 && p.running() {
		ps = []chain.Process{{Host: p.pid, Process: stack.Process{Pid: p.pid, Command: p.Argv[0]}}}
	}
	return ps
}

// startWatch watches the workers of proc, from a goroutine that ends with it.
func (r *replica) startWatch(proc *process) {
	master := chain.Master(proc.pid, proc.tree())
	if _, ok := stack.Children(master); !ok {
		return
	}
	watch := chain.NewWatch(r.spec, r.name, func() (chain.View, bool) { return see(master) })
	r.watch.Store(watch)
	r.watching.Go(func() { watch.Follow(proc.exited) })
}

// see looks at a master and its children only: reading all of /proc would cost too
// much to be done often. Where the master has ended there is nothing to see, and
// the guard is about to say so.
func see(master int) (v chain.View, ok bool) {
	children, ok := stack.Children(master)
	v = chain.View{Life: master, Root: master}
	add := func(pid, parent int) {
		p := chain.Process{Host: pid, Process: stack.Process{Pid: pid, Parent: parent, Command: commandLine(pid)}}
		p.Threads, _ = threadsOf(pid)
		v.Processes = append(v.Processes, p)
	}
	add(master, 0)
	for _, pid := range children {
		add(pid, master)
	}
	return v, ok
}
