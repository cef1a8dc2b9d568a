package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/harness/verdict"
)

func TestExitCodes(t *testing.T) {
	start := &stack.StartError{Subject: "app", Cause: errors.New("it exited with 3"),
		Tail: []string{"Traceback:", "\x1b[31mboom\u202e"}}
	for _, tt := range []struct {
		name string
		err  error
		code int
		says string
	}{
		{"pass", ended(verdict.Pass), 0, ""},
		{"fail", ended(verdict.Fail), 1, ""},
		{"inconclusive", ended(verdict.Inconclusive), 2, ""},
		{"no verdict never passes", ended(""), 2, ""},
		{"interrupted", fmt.Errorf("play: %w", context.Canceled), 2, ""},
		{"broken", errors.New("open tap:\n  no epoll"), 3, "streamproof: open tap: no epoll\n"},
		{"spaces of a path", errors.New("open my  run:\n\t no such file\n"), 3,
			"streamproof: open my  run: no such file\n"},
		{"not in the history", fmt.Errorf("x: %w", &notRemembered{errors.New("disk full"), "runs/a  b",
			"streamproof history add 'a  b'"}), 3, "streamproof: disk full; the run is whole in runs/a  b: once that is fixed, enter\n" +
			"    streamproof history add 'a  b'\n"},
		{"usage", fmt.Errorf("x: %w", &harness.UsageError{Place: "--a", Problem: "b", Fix: "c"}), 64,
			"streamproof: --a: b; c\n"},
		{"no start", fmt.Errorf("play control: %w", start), 64,
			"streamproof: start app: it exited with 3; check app.command, app.port, app.health and app.start; it said last:\n" +
				"    Traceback:\n    \ufffd[31mboom\ufffd\n"},
		{"no start of nginx", &stack.StartError{Subject: "nginx", Cause: errors.New("host not found")}, 64,
			"streamproof: start nginx: host not found; check edge.nginx_conf (the app is app:PORT there)\n"},
		{"too little memory", &stack.StartError{Subject: "app[0]", Cause: errors.New("Minimum memory limit allowed is 6MB")},
			64, "streamproof: start app[0]: Minimum memory limit allowed is 6MB; raise app.memory\n"},
		{"no image", fmt.Errorf("play control: %w", nosuch), 3,
			"streamproof: play control: get image acme/nosuch:ci: not on this machine; pull failed: no such host; correct the " +
				"name, or pull or build acme/nosuch:ci first\n"},
		{"no image of ours", &container.ImageError{Image: "streamproof/relay:dev", Ours: true,
			Tried: []string{"not on this machine", "it is built by `make images`"}}, 3,
			"streamproof: get image streamproof/relay:dev: not on this machine; it is built by `make images`\n"},
		{"another platform", &container.Refused{Key: "services.web.platform", Why: "Docker runs on linux/amd64 here",
			Fix: "take it out"}, 64,
			"streamproof: app.compose: services.web.platform: Docker runs on linux/amd64 here; take it out\n"},
		{"no Docker", &container.Absent{Cause: errors.New("connection refused")}, 3,
			"streamproof: reach docker: connection refused; start Docker, or point DOCKER_HOST at it\n"},
	} {
		var w strings.Builder
		if code := exitCode(&w, tt.err); code != tt.code || w.String() != tt.says {
			t.Errorf("%s: code %d, %q; want %d, %q", tt.name, code, w.String(), tt.code, tt.says)
		}
	}
}
