//go:build !linux

package process

import "github.com/streamproof/streamproof/harness/stack"

func counters([]int) (map[string]int64, error) {
	return nil, &stack.Unable{What: "read the app's memory", Why: "the local stack can on Linux only"}
}
