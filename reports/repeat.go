package reports

import (
	"strings"

	"github.com/streamproof/streamproof/harness/secret"
)

// needed says what the line that repeats a run lacks, "" for nothing: keys are written
// nowhere. The name of an environment variable stands in the place of a header's value, and
// [secret.Withheld] in that of a key in a URL.
func needed(line string) string {
	var all []string
	if names := secret.Variables(line); len(names) > 0 {
		all = append(all, "Export "+strings.Join(names, " and ")+" first: values of headers are never written to disk.")
	}
	if strings.Contains(line, "="+secret.Withheld) {
		all = append(all, "Write the key in the place of "+secret.Withheld+": a run does not write it to disk.")
	}
	return strings.Join(all, " ")
}
