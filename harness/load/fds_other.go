//go:build !unix

package load

// MaxStreams is how many streams this process can hold at once. These systems
// set no limit on sockets; this one keeps a mistyped number from exhausting them.
func MaxStreams() int { return 16384 }
