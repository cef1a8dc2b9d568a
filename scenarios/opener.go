package scenarios

import (
	"context"
	"fmt"
	"os"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/harness/stack/process"
)

// Our own program is started again as the origin and as the guard that outlives
// a killed harness. The first argument says so; it works in test binaries as
// well as in the command, because the hook runs before main.
const (
	originArg = "streamproof:origin"
	guardArg  = "streamproof:guard"
)

func init() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case originArg:
		os.Exit(origin.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	case guardArg:
		os.Exit(process.GuardMain())
	}
}

// Opener returns the stack that can start app: containers for an image, a
// Dockerfile or a compose service, this machine's processes for all else. The
// built-in origin runs on either, as app.Stack says. $STREAMPROOF_NGINX names
// the host's nginx, "-" does without.
func Opener(app harness.App) (stack.Opener, error) {
	contained := app.Image != "" || app.Build != "" || app.Compose != (stack.Compose{})
	switch app.Stack {
	case "":
	case "docker":
		contained = true
	case "local":
		if contained {
			return nil, &harness.UsageError{Place: "stack", Problem: "the local stack runs no containers", Fix: "leave stack out, or use docker"}
		}
	default:
		return nil, &harness.UsageError{Place: "stack", Problem: fmt.Sprintf("unknown stack %q", app.Stack), Fix: "known are local, docker"}
	}
	if contained {
		return container.New(container.Options{}), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own program: %w", err)
	}
	return process.New(process.Options{OriginCommand: []string{self, originArg}, GuardCommand: []string{self, guardArg},
		NginxPath: os.Getenv("STREAMPROOF_NGINX")}), nil
}
