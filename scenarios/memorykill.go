package scenarios

import (
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
)

// MemoryKill has the kernel kill one worker for its memory, while its siblings
// live. Only containers have a limit to run into: elsewhere a SIGKILL stands for
// it, and the report says so.
func MemoryKill() harness.Scenario {
	s := WorkerKill()
	s.ID, s.Title = "memory-kill", "The kernel kills a worker for its memory"
	s.Doc = "When the kernel kills a worker for its memory, its streams are cut so that clients can tell, the others complete, and new ones are fine again soon."
	s.LookAlike = "a SIGKILL from elsewhere: the kernel counts only its own"
	s.Fault = fault.MemoryKill{}
	s.Load.Duration = pressed
	return s
}

// MemoryKillContainer has the kernel kill the app's first process, and the whole
// container with it.
func MemoryKillContainer() harness.Scenario {
	s := MemoryKill()
	s.ID, s.Title = "memory-kill-container", "The kernel kills the whole app for its memory"
	s.Doc = "When the kernel kills the whole app for its memory, its streams are cut so that clients can tell, and after the new start new ones are fine."
	s.Fault = fault.MemoryKill{Whole: true}
	s.Policy.Recovery = 20 * time.Second // a start from nothing
	return s
}

// pressed is how long streams keep coming: all in a container crawls while it is
// at its limit, and on a busy machine it takes seconds until the kernel has to
// kill. It must then still serve somebody.
const pressed = 8 * time.Second

// seconds writes whole seconds as command lines want them.
func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
