package fleet

import (
	"regexp"
	"runtime/debug"
)

// Version is that of the program that runs: its module's version, and the commit that it
// was built from where Go recorded it. Both sides tell it, and must be of the same code.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v += " " + s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				v += " modified"
			}
		}
	}
	return v
}

// released is a version, as [Version] tells it, that is the name of one code: that of the
// tagged commit, with nothing changed.
var released = regexp.MustCompile(`^(v[0-9]+\.[0-9]+\.[0-9]+)( [0-9a-f]+)?$`)

// same reports whether two versions are of the same code. A release is the same whether it
// was built from a checkout, whose commit Go records, or installed as a module, which has
// none.
func same(a, b string) bool {
	x, y := released.FindStringSubmatch(a), released.FindStringSubmatch(b)
	if x != nil && y != nil {
		return x[1] == y[1]
	}
	return a == b
}
