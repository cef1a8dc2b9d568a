//go:build !linux

package strangers

// The matrix runs on Linux, where /proc says whose a process is.

func lockThread() {}

func leaked(string) []string { return nil }

func children(int) []int { return nil }

func connected(int) int { return 0 }
