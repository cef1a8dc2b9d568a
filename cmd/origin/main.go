// Command origin is a deterministic streaming server that can be sabotaged, see
// package origin.
package main

import (
	"context"
	"os"

	"github.com/streamproof/streamproof/harness/origin"
)

func main() {
	os.Exit(origin.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
