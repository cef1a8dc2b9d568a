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

	arrival float64 // p99 of the error of an arrival, µs
}

// A row is what one arm needed and saw; base is what it needed for one stream.
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

var columns = []string{"process", "streams", "whole", "CPU, × reader", "of it for one stream",
	"KiB a stream, and without", "first event p50 / p99",
	"added to a gap, p99", "verdict"}

// writeTable prints the rows. The first row of a load is the floor of all others of
// that load.
func writeTable(w io.Writer, rows []row) error {
	var out strings.Builder
	line(&out, columns)
	out.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|---|\n")
	floors := map[load]time.Duration{}
	for _, r := range rows {
		if floors[r.load] == 0 {
			floors[r.load] = r.cost.CPU
		}
		line(&out, r.cells(floors[r.load]))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// growthLimit is the most that twice the streams may cost.
const growthLimit = 2.1

// writeGrowth says what more streams cost, where a default run was measured with
// several numbers of them.
func writeGrowth(w io.Writer, rows []row) error {
	var last *row
	for i := range rows {
		r := &rows[i]
		if r.name != usual && r.name != crowd {
			continue
		}
		if last != nil && last.name == r.name {
			limit := growthLimit / 2 * float64(r.load.Streams) / float64(last.load.Streams)
			cpu := r.cost.CPU.Seconds() / last.cost.CPU.Seconds()
			memory := r.memory() * float64(r.load.Streams) / max(1, last.memory()*float64(last.load.Streams))
			fmt.Fprintf(w, "\n"+r.name+", %d → %d streams: CPU × %.2f%s; memory × %.2f%s.\n", last.load.Streams, r.load.Streams,
				cpu, against(cpu, limit), memory, against(memory, limit))
		}
		last = r
	}
	return nil
}

// writeArrivals says how true the arrivals are.
func writeArrivals(w io.Writer, rows []row) error {
	for _, r := range rows {
		if r.limits.arrival == 0 || len(r.seen.after) == 0 {
			continue
		}
		us := float64(quantile(r.seen.after, 0.99).Nanoseconds()) / 1e3
		if _, err := fmt.Fprintf(w, "\nAt %d streams an arrival is off by %.0f µs at most (p99), with what the server took "+
			"to write%s.\n",
			r.load.Streams, us, against(us, r.limits.arrival)); err != nil {
			return err
		}
	}
	return nil
}

// actLimit is how soon a fault is to strike when its condition came true.
const actLimit = 5 * time.Millisecond

// writeActed says how soon faults struck.
func writeActed(w io.Writer, rows []row) error {
	for _, r := range rows {
		if r.seen.acted == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "\nAt %d streams a fault struck %s after its condition came true%s.\n", r.load.Streams,
			show(r.seen.acted), against(r.seen.acted.Seconds()*1e3, actLimit.Seconds()*1e3)); err != nil {
			return err
		}
	}
	return nil
}

// writeKnee says up to how many streams the chain adds no more to a gap than the
// target, where it was measured with several numbers.
func writeKnee(w io.Writer, rows []row) error {
	var in []row
	for _, r := range rows {
		if r.name == chain && len(r.seen.added) > 0 {
			in = append(in, r)
		}
	}
	if len(in) < 2 {
		return nil
	}
	good := 0
	for _, r := range in {
		if quantile(r.seen.added, 0.99).Seconds()*1e3 > r.limits.gap {
			_, err := fmt.Fprintf(w, "\nKnee of the chain: at %d streams it adds %s to a gap (p99); %d streams are the most "+
				"measured within %g ms.\n",
				r.load.Streams, show(quantile(r.seen.added, 0.99)), good, r.limits.gap)
			return err
		}
		good = r.load.Streams
	}
	_, err := fmt.Fprintf(w, "\nKnee of the chain: above %d streams.\n", good)
	return err
}

func line(w io.Writer, cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func (r row) cells(floor time.Duration) []string {
	ratio := r.cost.CPU.Seconds() / max(floor, time.Millisecond).Seconds()
	return []string{r.name, strconv.Itoa(r.load.Streams), strconv.Itoa(r.seen.whole),
		fmt.Sprintf("%.2f (%.2f s)", ratio, r.cost.CPU.Seconds()) + against(ratio, r.limits.ratio),
		fmt.Sprintf("%.2f s", r.base.CPU.Seconds()),
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
		return fmt.Sprintf("; ≤ %.3g reached", target)
	}
	return fmt.Sprintf("; ≤ %.3g **missed**", target)
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
