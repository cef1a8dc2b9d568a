package reports

import (
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

// saidOfCompose says why a key of a compose file is not used as Compose would. The key
// stands before it.
var saidOfCompose = map[record.FactKind]sentence{
	record.FactComposePorts: plain("streamproof publishes ports itself, on free ports of 127.0.0.1"),
	record.FactComposeNames: plain("containers, networks and volumes get names of their own in each run; services still " +
		"reach each other by the names in this file"),
	record.FactComposeNetwork: plain("all services run on one network that streamproof makes, an ordinary bridge"),
	record.FactComposeReplicas: plain("app.replicas says how many replicas of the app run; each service that it " +
		"depends on runs once"),
	record.FactComposeRestart: plain("Docker restarts the app up to 10 times after a failure, and never after an " +
		"end with exit code 0"),
	record.FactComposeLogs: plain("streamproof has Docker keep logs as files, and copies that of the app"),
	record.FactComposeImages: plain("images are pulled where they are missing, and built with Docker's cache for " +
		"Docker's own platform"),
	record.FactComposeSwap:   plain("a container with a memory limit gets no swap"),
	record.FactComposeHealth: plain("the app is up when app.health answers, or its port where that is not set"),
	record.FactComposeStop:   plain("services that the app depends on are killed when the run is over"),
	record.FactComposeOwner:  plain("the file keeps the owner and the mode that it has on this machine, as under Compose"),
	record.FactComposeSwarm:  plain("only Swarm uses this; Compose and streamproof do not"),
	record.FactComposeTools:  plain("other commands and tools use this; it has no effect on a service that runs"),
}

// OfCompose puts warnings of a compose file into lines, one for each reason: the keys, and
// why they are not used as Compose would.
func OfCompose(warnings []record.Fact) (lines []string) {
	keys := map[record.FactKind][]string{}
	for _, w := range warnings {
		keys[w.Kind] = append(keys[w.Kind], w.Place)
	}
	for i := range warnings {
		w := &warnings[i]
		switch at := keys[w.Kind]; {
		case w.Place == "": // in the words of others
			lines = append(lines, Say(w))
		case w.Place == at[0]:
			lines = append(lines, strings.Join(at, ", ")+": "+Say(w))
		}
	}
	return lines
}
