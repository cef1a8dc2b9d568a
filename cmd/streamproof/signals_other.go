//go:build !unix

package main

import (
	"os"
	"syscall"
)

// endings are the signals that end a run well.
func endings() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// outlive has nothing to do: no signal tells here that nobody reads our output.
func outlive() {}
