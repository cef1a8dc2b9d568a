//go:build unix && !linux

package process

import "github.com/streamproof/streamproof/harness/stack/chain"

// descendants needs /proc; elsewhere only a replica's first process is known.
func descendants(int) []chain.Process { return nil }

func arguments(int) []string { return nil }

func commandLine(int) string { return "" }

func family(int) ([]chain.Process, bool) { return nil, false }

func threadsOf(int) (int, bool) { return 0, false }
