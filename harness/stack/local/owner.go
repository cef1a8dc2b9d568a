package local

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/stack"
)

// owner names the process that listens on a port: " by pid 12 (nginx)". It is
// empty where that cannot be seen.
func owner(port int) string {
	pid, name := stack.Listener(port)
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" by pid %d (%s)", pid, name)
}
