package stack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxRate keeps rate*100 inside an int64 and inside any real network, in KB/s.
const maxRate = 1 << 30

// knownAttrs lists the attributes of every toxic that we use. toxiproxy ignores
// one that it does not know, so that a misspelt toxic would do nothing and a
// scenario would pass without its fault.
var knownAttrs = map[string][]string{
	"latency":    {"latency", "jitter"},
	"bandwidth":  {"rate"},
	"slicer":     {"average_size", "size_variation", "delay"},
	"slow_close": {"delay"},
	"limit_data": {"bytes"},
	"timeout":    {"timeout"},
}

// Check refuses a toxic that toxiproxy would ignore, or that would take the
// whole process down with it: a negative rate panics, and so does a slicer
// whose variation reaches its size; a slicer of size 0 recurses for ever.
func (t Toxic) Check() error {
	if t.Direction != Downstream && t.Direction != Upstream {
		return fmt.Errorf("check toxic %q: direction %q is neither %q nor %q", t.Name, t.Direction, Downstream, Upstream)
	}
	known, ok := knownAttrs[t.Type]
	if !ok {
		types := slices.Sorted(maps.Keys(knownAttrs))
		return fmt.Errorf("check toxic %q: unknown type %q (known: %s)", t.Name, t.Type, strings.Join(types, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(t.Attr)) {
		if !slices.Contains(known, key) {
			return fmt.Errorf("check toxic %q: type %s has no attribute %q (known: %s)", t.Name, t.Type, key,
				strings.Join(known, ", "))
		}
		if _, err := whole(t.Attr[key]); err != nil {
			return fmt.Errorf("check toxic %q: attribute %s: %w", t.Name, key, err)
		}
	}
	return t.checkRanges()
}

func (t Toxic) checkRanges() error {
	for key := range t.Attr {
		if v := t.attr(key); v < 0 {
			return fmt.Errorf("check toxic %q: %s is negative: %d", t.Name, key, v)
		}
	}
	switch t.Type {
	case "bandwidth":
		if rate := t.attr("rate"); rate > maxRate {
			return fmt.Errorf("check toxic %q: rate %d KB/s is above %d", t.Name, rate, maxRate)
		}
	case "slicer":
		size, variation := t.attr("average_size"), t.attr("size_variation")
		if size < 2 || variation >= size {
			return fmt.Errorf("check toxic %q: needs average_size >= 2 and size_variation below it, got %d and %d", t.Name, size,
				variation)
		}
	}
	return nil
}

// Int is a whole attribute, 0 where it is absent.
func (t Toxic) Int(key string) int64 { return t.attr(key) }

// Millis is an attribute that is a time in milliseconds.
func (t Toxic) Millis(key string) time.Duration { return time.Duration(t.attr(key)) * time.Millisecond }

// attr returns a whole attribute, 0 where it is absent.
func (t Toxic) attr(key string) int64 {
	v, _ := whole(t.Attr[key])
	return v
}

// whole accepts the number types that Go code and decoded YAML or JSON bring.
func whole(v any) (int64, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case uint64:
		if v > 1<<62 {
			return 0, fmt.Errorf("%d is out of range", v)
		}
		return int64(v), nil
	case float64:
		if v != float64(int64(v)) {
			return 0, fmt.Errorf("%v is not a whole number", v)
		}
		return int64(v), nil
	}
	return 0, fmt.Errorf("%v (%T) is not a whole number", v, v)
}
