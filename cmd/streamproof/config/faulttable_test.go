package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// faultMeanings say what each type of fault does.
var faultMeanings = map[string]string{
	"latency": "Delays what travels towards the client by `delay`, plus or minus `jitter`.",
	"jitter":  "Delays each packet towards the client by a different time, up to twice `delay`; the order stays.",
	"bandwidth": "Limits what travels towards the client to `rate` bytes per second. `gap` is the silence between two events " +
		"that this must cause: it shows that the limit is in effect.",
	"stall":       "Holds back everything that travels towards the client for `hold`; nothing is lost.",
	"slow-start":  "Delays what clients send by `delay`, from before the first connection on.",
	"slow-close":  "Delays the end of each connection by `delay`; the data before it passes at once.",
	"slices":      "Cuts what travels towards the client into packets of about `size` bytes.",
	"down":        "Cuts all connections of the link and refuses new ones until the fault is removed.",
	"partition":   "Takes the link between the edge and one of several replicas down. The seed picks the replica.",
	"reset":       "Resets both sides of the connection.",
	"fin":         "Ends both sides of the connection in an orderly way (FIN).",
	"half-close":  "Ends the connection towards the client (FIN) and leaves the other direction open.",
	"truncate":    "Passes half of the next event, then ends the connection (FIN).",
	"blackhole":   "Drops everything from then on and leaves the connection open.",
	"corrupt":     "Changes one byte of the next event.",
	"refuse":      "Resets the connection when the request arrives.",
	"hold-at":     "Holds the bytes of the stream back for `delay`; nothing is lost.",
	"kill-worker": "Sends SIGKILL to one worker process of the app.",
	"crash":       "Sends SIGKILL to a whole replica, and starts it again when the fault is removed.",
	"memory-kill": "Fills memory until the kernel kills a worker process, or with `whole: true` the first process and with it the " +
		"container. Where no memory limit can be set, SIGKILL is sent instead, and the report says so.",
	"squeeze":   "Lowers the memory limit of one replica to `room` above what it uses. Needs Docker.",
	"watch":     "Changes nothing: reads the memory of every replica when it begins and when it ends.",
	"drain":     "Sends SIGTERM to the first replica, SIGKILL after `grace` (that of the app), then starts it again.",
	"pause":     "Freezes one replica for `hold`, then lets it go on.",
	"deploy":    "Replaces all replicas, one by one.",
	"scale-in":  "Removes one replica.",
	"scale-out": "Adds one replica.",
	"node-drain": "Takes the node of one replica out of service, so that all pods of the app on it have to leave, and " +
		"back when the fault is removed. Needs `app.kubernetes`.",
	"edge-reload": "Makes the edge reload its configuration.",
}

// TestFaultTable: the page lists the faults that a file may name, with their keys.
func TestFaultTable(t *testing.T) {
	quoted := func(keys []string) string {
		if len(keys) == 0 {
			return ""
		}
		return "`" + strings.Join(keys, "`, `") + "`"
	}
	var b strings.Builder
	b.WriteString("| type | required keys | optional keys | what it does |\n|---|---|---|---|\n")
	for _, k := range faultKinds {
		if faultMeanings[k.name] == "" {
			t.Errorf("faultMeanings lacks %q", k.name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.name, quoted(k.needs), quoted(k.takes), faultMeanings[k.name])
	}
	if len(faultMeanings) != len(faultKinds) {
		t.Errorf("%d types have a meaning, and there are %d", len(faultMeanings), len(faultKinds))
	}
	path := filepath.Join("..", "..", "..", "scenarios", "README.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- faults -->\n", "<!-- /faults -->"
	before, rest, ok := strings.Cut(string(page), begin)
	is, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has no marks %s", path, begin)
	case is == b.String():
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of faults in %s is not current: go test ./cmd/streamproof/config -run TestFaultTable -update", path)
	}
}
