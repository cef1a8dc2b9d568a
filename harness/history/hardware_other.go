//go:build !linux

package history

// hardware is not known on this system.
func hardware() (cpu string, memory int64) { return "", 0 }
