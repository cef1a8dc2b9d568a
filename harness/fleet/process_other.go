//go:build !linux

package fleet

import (
	"os"
	"syscall"
)

func widen(*os.File) {}

func ownGroup() *syscall.SysProcAttr { return nil }
