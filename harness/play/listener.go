package play

import (
	"net/url"
	"os"
	"strconv"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
)

// listener names the process behind a URL, "" where it is ours, not on this
// machine or cannot be seen: many an edge is named by nothing else.
func (p *player) listener(raw string) string {
	if p.App.IsOrigin() {
		return ""
	}
	port, ok := localPort(raw)
	if !ok {
		return ""
	}
	pid, name := stack.Listener(port)
	if pid == os.Getpid() {
		return ""
	}
	return name
}

// localPort is the port of this machine that a URL leads to.
func localPort(raw string) (port int, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || !harness.IsLoopback(u.Hostname()) {
		return 0, false
	}
	if u.Port() == "" {
		port, ok = map[string]int{"http": 80, "https": 443}[u.Scheme]
		return port, ok
	}
	port, err = strconv.Atoi(u.Port())
	return port, err == nil
}
