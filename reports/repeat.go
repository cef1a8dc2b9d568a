package reports

import (
	"strings"

	"github.com/streamproof/streamproof/harness/secret"
)

// needed says which environment variables the line reads that repeats a run, "" for none:
// the values of headers are written nowhere, and such a name stands in their place.
func needed(line string) string {
	names := secret.Variables(line)
	if len(names) == 0 {
		return ""
	}
	return "Export " + strings.Join(names, " and ") + " first: values of headers are never written to disk."
}
