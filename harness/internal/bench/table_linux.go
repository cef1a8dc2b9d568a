package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// targets are the most that a row may cost; 0 is no target.
type targets struct {
	ratio  float64 // CPU, by the floor's
	memory float64 // KiB a stream
	gap    float64 // p99 of what is added to a gap, ms
}

// A row is what one arm needed and saw.
type row struct {
	name       string
	load       load
	cost, base cost
	seen       observed
	verdict    string
	limits     targets
}

// memory is the peak over that of the process without load, KiB a stream.
func (r row) memory() float64 {
	return max(0, float64(r.cost.Peak-r.base.Peak)) / float64(r.load.Streams)
}

var columns = []string{"process", "streams", "whole", "CPU, × reader", "KiB a stream, and without", "first event p50 / p99",
	"added to a gap, p99", "verdict"}

// writeTable prints the rows. The first row of a number of streams is the floor of
// all others of that number.
func writeTable(w io.Writer, rows []row) error {
	var out strings.Builder
	line(&out, columns)
	out.WriteString("|---|--:|--:|--:|--:|--:|--:|---|\n")
	floors := map[int]time.Duration{}
	for _, r := range rows {
		if floors[r.load.Streams] == 0 {
			floors[r.load.Streams] = r.cost.CPU
		}
		line(&out, r.cells(floors[r.load.Streams]))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func line(w io.Writer, cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func (r row) cells(floor time.Duration) []string {
	ratio := r.cost.CPU.Seconds() / max(floor, time.Millisecond).Seconds()
	return []string{r.name, strconv.Itoa(r.load.Streams), strconv.Itoa(r.seen.whole),
		fmt.Sprintf("%.2f (%.2f s)", ratio, r.cost.CPU.Seconds()) + against(ratio, r.limits.ratio),
		fmt.Sprintf("%.1f (%.0f MiB)", r.memory(), float64(r.base.Peak)/1024) + against(r.memory(), r.limits.memory),
		pair(r.seen.first), r.gap(), r.verdict}
}

func (r row) gap() string {
	if len(r.seen.added) == 0 {
		return "–"
	}
	p99 := quantile(r.seen.added, 0.99)
	return show(p99) + against(p99.Seconds()*1e3, r.limits.gap)
}

// against sets a figure against its target, if it has one.
func against(is, target float64) string {
	switch {
	case target == 0:
		return ""
	case is <= target:
		return fmt.Sprintf("; ≤ %g reached", target)
	}
	return fmt.Sprintf("; ≤ %g **missed**", target)
}

// pair shows median and p99.
func pair(d []time.Duration) string {
	if len(d) == 0 {
		return "–"
	}
	return show(quantile(d, 0.5)) + " / " + show(quantile(d, 0.99))
}

// show prints ms with two digits behind the point below 10 ms, and none above.
func show(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
}

// quantile is the nearest-rank quantile of d, which is not empty.
func quantile(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[max(0, int(q*float64(len(sorted))+0.999999)-1)]
}
