//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// endings are the signals that end a run well. That of a terminal that closes is one of
// them, but not where somebody had it ignored, as nohup does.
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// outlive has the program live on where it would die without cleaning up: its output is
// read by nobody any more (run | tee, then Ctrl-C, which ends tee at once), and a terminal
// that closes says so twice, as its shell and as the kernel. We listen and do not ignore,
// since the app would inherit that.
func outlive() {
	deaf := make(chan os.Signal, 1)
	signal.Notify(deaf, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(deaf, syscall.SIGHUP)
	}
}
