//go:build unix && !linux

package process

import "syscall"

// Without subreapers a guard reaches the app's process group only.
func adoptOrphans() {}

func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
