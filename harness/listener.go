package harness

import (
	"net/url"
	"os"
	"strconv"

	"github.com/streamproof/streamproof/harness/stack"
)

// listener names the process behind a URL, "" where it is ours, not on this
// machine or cannot be seen: many an edge is named by nothing else.
func (p *player) listener(raw string) string {
	if p.App.origin() {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || !isLoopback(u.Hostname()) {
		return ""
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return ""
	}
	pid, name := stack.Listener(port)
	if pid == os.Getpid() {
		return ""
	}
	return name
}
