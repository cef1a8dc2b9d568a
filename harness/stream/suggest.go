package stream

import (
	"strings"

	"github.com/streamproof/streamproof/harness/suggest"
)

// nearest suggests the candidate that name was probably meant to be.
func nearest(name string, candidates ...string) string {
	if best := suggest.Nearest(name, candidates); best != "" {
		return "did you mean " + best + "?"
	}
	return "use " + strings.Join(candidates, ", ")
}
