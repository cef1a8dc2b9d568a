package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
)

// lostBy is how a load worker was lost, by what it did not do.
var lostBy = map[record.Agreement]string{
	"":                "was lost",
	record.OnGreeting: "did not start",
	record.OnReady:    "did not take its share of the load",
	record.OnSilence:  "fell silent",
}

// workerDiffers says on what a load worker disagrees with us.
func workerDiffers(f *record.Fact) string {
	ours := ""
	if len(f.About) > 0 {
		ours = Say(&f.About[0])
	}
	switch record.Agreement(f.Place) {
	case record.OnProtocol:
		return fmt.Sprintf("%s speaks version %s of the protocol, and this is version %s", f.Name, f.Text, ours)
	case record.OnVersion:
		return fmt.Sprintf("%s is streamproof %s, and this is %s", f.Name, f.Text, ours)
	case record.OnPlan:
		if ours == "" {
			return fmt.Sprintf("%s cannot read its share of the load: %s", f.Name, f.Text)
		}
		return fmt.Sprintf("%s reads the load in another way than it was meant", f.Name)
	case record.OnClock:
		return fmt.Sprintf("the clock of %s may be off by %s, more than %s", f.Name, f.Text, ours)
	case record.OnRoom:
		return fmt.Sprintf("%s may have %s streams open at a time, and its share is %s: its limit of open files is "+
			"too low, or there are too few load workers", f.Name, f.Text, ours)
	case record.OnReach:
		return fmt.Sprintf("%s cannot connect to %s: %s", f.Name, ours, f.Text)
	case record.OnTLS:
		return fmt.Sprintf("%s connects to %s, and TLS fails: %s", f.Name, ours, f.Text)
	case record.OnStreams:
		return fmt.Sprintf("%s says that it started %s streams, and told of %s (begun/ended)", f.Name, f.Text, ours)
	}
	return f.Name + " does not agree on " + f.Place
}
