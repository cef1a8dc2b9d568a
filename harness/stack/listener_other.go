//go:build !linux

package stack

// Listener knows nothing on this system.
func Listener(int) (pid int, name string) { return 0, "" }

// Listeners knows none on this system.
func Listeners(int) []int { return nil }
