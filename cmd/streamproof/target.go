package main

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

// target takes the one argument of a command for its --url.
func (in *input) target(args []string) error { return targetOf(args, in.given, &in.url) }

// targetOf takes the one argument of a command for the flag url, whose value is in to.
func targetOf(args []string, given *pflag.FlagSet, to *string) error {
	if len(args) == 0 {
		return nil
	}
	u, err := address(args[0])
	if err != nil {
		return err
	}
	if given.Changed("url") {
		return &harness.UsageError{Place: "--url", Problem: "a URL is given twice", Fix: "leave one of them out"}
	}
	*to = u
	return given.Set("url", u) // so that it counts as given, and the line that repeats the run has it
}

// bare is what people type for a URL without its scheme, as curl takes it:
// localhost, a name with a dot or an address, each with a port or a path.
var bare = regexp.MustCompile(`^(localhost|\[[0-9a-fA-F:.]+\]|[\w-]+(\.[\w-]+)+)(:\d+)?([/?].*)?$|` +
	`^[\w.-]+:\d+([/?].*)?$|^:\d+([/?].*)?$`)

// address makes a URL of an argument. What is clearly something else is refused in
// terms of what it is.
func address(arg string) (string, error) {
	known := func(s harness.Scenario) bool { return s.ID == arg }
	switch {
	case strings.Contains(arg, "://"):
		if _, err := url.Parse(arg); err != nil {
			return "", notURL(arg)
		}
		return arg, nil
	case arg == "all" || arg == "standard" || slices.ContainsFunc(scenarios.All(), known):
		return "", &harness.UsageError{Place: arg, Problem: "is a scenario, and a URL is expected here",
			Fix: "write --scenario " + arg}
	case isFile(arg):
		return "", &harness.UsageError{Place: arg, Problem: "is a file, and a URL is expected here",
			Fix: "write -f " + quote(arg)}
	case strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml"):
		return "", &harness.UsageError{Place: arg, Problem: "there is no such file, and a URL is expected here",
			Fix: "write a first one with 'streamproof init', then run it with -f streamproof.yaml"}
	case strings.HasPrefix(arg, ":") && bare.MatchString(arg):
		return "http://127.0.0.1" + arg, nil
	case bare.MatchString(arg):
		return "http://" + arg, nil
	}
	return "", notURL(arg)
}

func notURL(arg string) error {
	return &harness.UsageError{Place: "URL", Problem: fmt.Sprintf("%q is no http or https URL", arg),
		Fix: "write it like http://127.0.0.1:8000/chat"}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
