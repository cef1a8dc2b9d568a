package fleet

import "runtime/debug"

// Version is that of the program that runs: its module's version, and the commit that it
// was built from where Go recorded it. Both sides tell it, and must be the same.
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
