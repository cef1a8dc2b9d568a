//go:build !linux && !darwin

package machine

// Hardware is not known on this system.
func Hardware() (cpu string, memory int64) { return "", 0 }
