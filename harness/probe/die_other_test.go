//go:build !linux

package probe_test

import "os/exec"

func dieWithUs(*exec.Cmd) {}
