package container

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

// What is done to a process is done by its number on the host where that is ours, and through
// its container where it is not: a member of the group docker may see the processes of
// root's Docker, and not touch them.
func TestReach(t *testing.T) {
	file := &os.PathError{Op: "open", Path: "/proc/7/oom_score_adj", Err: syscall.EACCES}
	noTool := errors.New(`exec: "kill": executable file not found in $PATH`)
	for name, c := range map[string]struct {
		host            int
		outside, inside error
		asked           bool // in the container
		want            error
		unable          bool
	}{
		"ours":                  {host: 7},
		"not seen":              {asked: true},
		"a signal to root's":    {host: 7, outside: syscall.EPERM, asked: true},
		"a file of root's":      {host: 7, outside: file, asked: true},
		"gone":                  {host: 7, outside: syscall.ESRCH, want: syscall.ESRCH},
		"root's, and no tool":   {host: 7, outside: syscall.EPERM, asked: true, inside: noTool, unable: true},
		"not seen, and no tool": {asked: true, inside: noTool, unable: true},
		"broken off":            {asked: true, inside: context.Canceled, want: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.inside == context.Canceled {
				cancel()
			}
			asked := false
			err := reach(ctx, "signal pid 3", c.host, func(host int) error {
				if host != c.host {
					t.Errorf("pid %d of the host, want %d", host, c.host)
				}
				return c.outside
			}, func() error { asked = true; return c.inside })
			if asked != c.asked {
				t.Errorf("asked in the container: %t", asked)
			}
			if unable := errors.As(err, new(*stack.Unable)); unable != c.unable || !unable && !errors.Is(err, c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}
