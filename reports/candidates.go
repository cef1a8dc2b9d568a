package reports

import (
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// couldBe names what could be meant instead of a cause: "worker killed; worker
// recycled". Why each could stands in the HTML report.
func couldBe(c verdict.Cause) string {
	return strings.Join(c.Names()[1:], "; ")
}
