// Package history remembers runs: what each came to, by scenario, in one file that many
// runs are appended to, so that they can be compared and their trend be read.
//
//  1. A [Collector] takes the streams of a judged run and makes a [Row] of it: verdicts,
//     outcomes, causes, and each metric with its histogram.
//  2. [Open] opens the file, an SQLite database in WAL mode. [DB.Append] adds a row in one
//     transaction, beside other writers; [DB.Rows] reads them back.
//  3. Each row bears a checksum. Of a damaged file all rows that can be read are served,
//     and [Damage] says how many cannot.
//  4. [Find] reads names of rows: latest, a branch, main~1, a commit, a number.
package history

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Row is one run.
type Row struct {
	ID         int64           `json:"id"` // given by the file, counting up
	Started    time.Time       `json:"started"`
	Tool       string          `json:"tool"` // version of streamproof
	App        string          `json:"app"`
	AppVersion string          `json:"app_version,omitempty"`
	Commit     string          `json:"commit,omitempty"`
	Branch     string          `json:"branch,omitempty"`
	Machine    Machine         `json:"machine"`
	Stack      string          `json:"stack"`
	Seed       uint64          `json:"seed"`
	Dir        string          `json:"dir"` // run folder, as it was named
	Verdict    verdict.Verdict `json:"verdict"`
	// Complete says that the record is whole: the run was neither killed nor interrupted.
	Complete  bool       `json:"complete"`
	Streams   int        `json:"streams"`
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario finds a scenario of the run, nil if it was not played.
func (r *Row) Scenario(id string) *Scenario {
	for i := range r.Scenarios {
		if r.Scenarios[i].ID == id {
			return &r.Scenarios[i]
		}
	}
	return nil
}

// Name is how the run is called: its number, and its commit where that is known.
func (r *Row) Name() string {
	name := fmt.Sprintf("run %d", r.ID)
	if r.ID == 0 {
		name = r.Dir
	}
	if r.Commit != "" {
		name += " (" + Short(r.Commit) + ")"
	}
	return name
}

// Short is a commit as people write it.
func Short(commit string) string { return commit[:min(len(commit), 9)] }

// A Machine is what tells machines apart whose times cannot be compared.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`
	CPU    string `json:"cpu,omitempty"`    // model
	Memory int64  `json:"memory,omitempty"` // MiB
	Clock  string `json:"clock,omitempty"`  // what stamps arrivals
	// Unknown says that the run was recorded without its CPU and memory: nothing tells
	// whether another machine is the same.
	Unknown bool `json:"unknown,omitempty"`
}

// String reads "2 × Xeon, 8192 MiB, linux/amd64".
func (m Machine) String() string {
	if m.Unknown {
		return "unknown"
	}
	s := fmt.Sprintf("%d CPUs", m.CPUs)
	if m.CPU != "" {
		s = fmt.Sprintf("%d × %s", m.CPUs, m.CPU)
	}
	if m.Memory > 0 {
		s += fmt.Sprintf(", %d MiB", installed(m.Memory))
	}
	return s + ", " + m.OS + "/" + m.Arch
}

// installed rounds memory up to a sixteenth of the next power of two. What a kernel
// reports is less than what is there by some per cent, which differ from kernel to kernel.
func installed(mib int64) int64 {
	step := max(1, int64(1)<<bits.Len64(uint64(mib-1))/16)
	return (mib + step - 1) / step * step
}

// Same reports whether two machines are known to be of one kind.
func (m Machine) Same(o Machine) bool {
	return !m.Unknown && !o.Unknown && m.String() == o.String()
}

// Fingerprint is the same for machines of one kind, and "unknown" where the machine is.
func (m Machine) Fingerprint() string {
	if m.Unknown {
		return "unknown"
	}
	sum := sha256.Sum256([]byte(m.String()))
	return hex.EncodeToString(sum[:6])
}

// A Scenario is what a scenario of the run came to.
type Scenario struct {
	ID      string          `json:"id"`
	Load    string          `json:"load"` // load, request, edge and fault: what must be equal to be compared
	Verdict verdict.Verdict `json:"verdict"`
	Why     string          `json:"why,omitempty"`
	// Full says that timeouts which the catalogue scales down had their real length.
	Full     bool                    `json:"full_length,omitempty"`
	Started  int                     `json:"started"`
	Took     float64                 `json:"took,omitempty"` // s, with start and end of the stack; 0 where not known
	Outcomes map[verdict.Outcome]int `json:"outcomes"`
	Causes   []string                `json:"causes,omitempty"`
	// Untouched are the streams out of the fault's way, Hit those in it. Streams that
	// were sent alone are in neither.
	Untouched Rate              `json:"untouched"`
	Hit       Rate              `json:"hit,omitzero"`
	Metrics   map[string]Metric `json:"metrics"` // by name, see [Metrics]
	// Delay is how long the machine kept the app or the load generator from running, in
	// seconds of each quarter of a second: the 90th percentile over the scenario. 0 where it
	// is not known.
	Delay float64 `json:"delay,omitempty"`
}

// A Rate counts streams.
type Rate struct {
	Judged   int `json:"judged"`
	Complete int `json:"complete"`
	Silent   int `json:"silent"` // truncated or corrupt: no client can tell
	// Blocks are the same counts by blocks of time, in their order; none where all streams
	// were open at once.
	Blocks []Rate `json:"blocks,omitempty"`
}

// Metrics are the names of what is measured, in their order: of complete streams out of
// the fault's way, and the recovery of the scenario.
var Metrics = []MetricInfo{
	{Name: FirstEvent, Title: "first event", Unit: "s", Doc: "from the request to the first content event"},
	{Name: Gap, Title: "longest gap", Unit: "s", Doc: "longest silence of a stream"},
	{Name: TokensPerSecond, Title: "tokens/s", Unit: "/s", More: true,
		Doc: "of one stream, from its first content event to its last; events where the dialect tells no tokens"},
	{Name: Recovery, Title: "recovery", Unit: "s", Doc: "from the fault's end until new streams are well"},
}

// Names of metrics.
const (
	FirstEvent      = "first_event"
	Gap             = "gap"
	TokensPerSecond = "tokens_per_second"
	Recovery        = "recovery"
)

// A MetricInfo describes a metric.
type MetricInfo struct {
	Name, Title, Unit, Doc string
	More                   bool // more is better
}

// A Metric is one figure of a scenario. Times are seconds.
type Metric struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90,omitempty"` // 0 where n cannot carry it, as P95 and P99
	P95 float64 `json:"p95,omitempty"`
	P99 float64 `json:"p99,omitempty"`
	Max float64 `json:"max"`
	// Blocks are the medians by blocks of time, in their order; none where all streams were
	// open at once. (Rows of old have "blocks" by counts of streams: they are not read.)
	Blocks []Block `json:"time_blocks,omitempty"`
	// Histogram is an HDR histogram, V2 compressed, of millionths of the unit.
	Histogram []byte `json:"histogram,omitempty"`
}

// machineOf is the machine that a run was made on, which need not be ours.
func machineOf(h record.Host) Machine {
	return Machine{OS: h.OS, Arch: h.Arch, CPUs: h.CPUs, Clock: string(h.Clock), CPU: h.CPU, Memory: h.Memory,
		Unknown: h.CPU == "" && h.Memory == 0}
}
