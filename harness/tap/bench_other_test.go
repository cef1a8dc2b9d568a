//go:build !(linux && (amd64 || arm64))

package tap_test

// benchChild has nothing to run: the benchmark's floor is epoll.
func benchChild() bool { return false }
