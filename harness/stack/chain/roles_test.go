package chain

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

func TestRoles(t *testing.T) {
	p := func(pid, parent int, command string) Process {
		return Process{Process: stack.Process{Pid: pid, Parent: parent, Command: command}}
	}
	tests := map[string]struct {
		ps   []Process
		want []string
	}{
		"alone": {[]Process{p(1, 0, "app")}, []string{"master"}},
		"manager": {[]Process{p(1, 0, "gunicorn"), p(2, 1, "gunicorn"), p(3, 1, "gunicorn")},
			[]string{"master", "worker", "worker"}},
		"behind a shell": {[]Process{p(1, 0, "/bin/sh -c uvicorn"), p(2, 1, "uvicorn")}, []string{"helper", "master"}},
		"behind two": {[]Process{p(1, 0, "tini -- sh"), p(2, 1, "sh -c x"), p(3, 2, "x"), p(4, 3, "x")},
			[]string{"helper", "helper", "master", "worker"}},
		"shell alone": {[]Process{p(1, 0, "sh")}, []string{"master"}},
		"resource tracker": {[]Process{p(1, 0, "uvicorn"), p(2, 1,
			"python3 -c from multiprocessing.resource_tracker import main"),
			p(3, 1, "python3 -c from multiprocessing.spawn import spawn_main")},
			[]string{"master", "helper", "worker"}},
		"below a worker": {[]Process{p(1, 0, "app"), p(2, 1, "app"), p(3, 2, "ffmpeg")},
			[]string{"master", "worker", "helper"}},
	}
	for name, tt := range tests {
		Assign(1, tt.ps)
		for i, got := range tt.ps {
			if got.Role != tt.want[i] {
				t.Errorf("%s: pid %d (%s) is a %s, want %s", name, got.Pid, got.Command, got.Role, tt.want[i])
			}
		}
	}
}
