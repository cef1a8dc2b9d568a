package container

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Names of counters, the same for both versions of cgroups. Bytes, or counts,
// or nanoseconds where the name says so.
const (
	oomKill      = record.OOMCounter
	failcnt      = "memory.failcnt"
	memoryUsage  = "memory.usage"
	cpuPeriods   = "cpu.nr_periods"
	cpuThrottled = "cpu.nr_throttled"
	cpuWaited    = stack.ThrottledCounter
)

// A source is a file of the cgroup and what to read from it: the keys of its
// lines, or "" for a file that is one number.
type source struct {
	file  string
	names map[string]string // key in the file to counter
}

// sources by version; v1 splits its files over controllers. memory.events has
// "max", the times that the limit was hit, which is what v1 calls failcnt.
var (
	sourcesV1 = map[string][]source{
		"memory": {{"memory.oom_control", map[string]string{"oom_kill": oomKill}},
			{"memory.failcnt", map[string]string{"": failcnt}},
			{"memory.usage_in_bytes", map[string]string{"": memoryUsage}}},
		"cpu": {{"cpu.stat", map[string]string{"nr_periods": cpuPeriods, "nr_throttled": cpuThrottled,
			"throttled_time": cpuWaited}}},
	}
	sourcesV2 = []source{
		{"memory.events", map[string]string{"oom_kill": oomKill, "max": failcnt}},
		{"memory.current", map[string]string{"": memoryUsage}},
		{"cpu.stat", map[string]string{"nr_periods": cpuPeriods, "nr_throttled": cpuThrottled, "throttled_usec": cpuWaited}},
	}
)

// Counters implements [chain.Counter]. It reads the host's view where it is ours to see, and asks in the
// container where not.
func (b *box) Counters(ctx context.Context) (map[string]int64, error) {
	if folders, err := b.cgroups(); err == nil {
		return readCounters(folders)
	}
	if b.hostPid() == 0 {
		return nil, &stack.Unable{What: "read counters", Why: "the container does not run"}
	}
	return b.countersInside(ctx)
}

// cgroups finds the folders of the box's cgroups by its PID 1 (cgroups(7)): for
// v1 by controller, for v2 under "".
func (b *box) cgroups() (map[string]string, error) {
	p, err := hostProcess(b.hostPid())
	if err != nil {
		return nil, err
	}
	groups, err := p.Cgroups()
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(groups, func(g procfs.Cgroup) bool { return strings.Contains(g.Path, b.id) }) {
		return nil, errors.New("the daemon's process IDs are not ours")
	}
	return cgroupFolders("/sys/fs/cgroup", groups), nil
}

// cgroupFolders finds the folders of /docker/ID and the like below root.
func cgroupFolders(root string, groups []procfs.Cgroup) map[string]string {
	folders := map[string]string{}
	for _, g := range groups {
		if len(g.Controllers) == 0 {
			folders[""] = filepath.Join(root, g.Path)
		}
		for _, controller := range g.Controllers {
			folders[controller] = filepath.Join(root, controller, g.Path)
		}
	}
	return folders
}

// readCounters reads all that the folders have. v1 hosts may mount an empty v2
// beside it, so that v1 goes first.
func readCounters(folders map[string]string) (map[string]int64, error) {
	n := map[string]int64{}
	if _, v1 := folders["memory"]; v1 {
		for controller, list := range sourcesV1 {
			readSources(folders[controller], list, n)
		}
	} else {
		readSources(folders[""], sourcesV2, n)
	}
	if len(n) == 0 {
		return nil, errors.New("no counter file can be read")
	}
	return n, nil
}

// readSources skips files that are not there: kernels differ.
func readSources(folder string, list []source, n map[string]int64) {
	for _, src := range list {
		if data, err := os.ReadFile(filepath.Join(folder, src.file)); err == nil {
			src.parse(string(data), n)
		}
	}
}

func (src source) parse(text string, n map[string]int64) {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			key, value = "", key
		}
		name, wanted := src.names[key]
		v, err := strconv.ParseInt(value, 10, 64)
		if !wanted || err != nil {
			continue
		}
		if key == "throttled_usec" {
			v *= 1000
		}
		n[name] = v
	}
}

// countersInside reads the files as the container sees them.
func (b *box) countersInside(ctx context.Context) (map[string]int64, error) {
	n := map[string]int64{}
	read := func(folder string, list []source) {
		for _, src := range list {
			if text, err := b.exec(ctx, "cat", folder+"/"+src.file); err == nil {
				src.parse(text, n)
			}
		}
	}
	if read("/sys/fs/cgroup", sourcesV2); len(n) == 0 {
		for controller, list := range sourcesV1 {
			read("/sys/fs/cgroup/"+controller, list)
		}
	}
	if len(n) == 0 {
		return nil, &stack.Unable{What: "read counters", Why: "neither the host nor the container shows its cgroup"}
	}
	return n, nil
}
