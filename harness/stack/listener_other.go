//go:build !linux

package stack

import "net/netip"

// Listener knows nothing on this system.
func Listener(int) (pid int, name string) { return 0, "" }

// Listeners knows none on this system.
func Listeners(int) []int { return nil }

// Listening knows nothing on this system.
func Listening([]int) []netip.AddrPort { return nil }
