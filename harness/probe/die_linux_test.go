package probe_test

import (
	"os/exec"
	"syscall"
)

// dieWithUs ends the process with the test, also where that is killed.
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
