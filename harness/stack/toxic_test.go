package stack

import (
	"strings"
	"testing"
	"time"
)

func TestToxicCheck(t *testing.T) {
	slicer := func(size, variation any) Toxic {
		return Toxic{Name: "s", Type: "slicer", Direction: Downstream,
			Attr: map[string]any{"average_size": size, "size_variation": variation}}
	}
	tests := []struct {
		name  string
		toxic Toxic
		want  string // part of the error; "" for none
	}{
		{"latency", Latency(time.Second, 0), ""},
		{"stall", Stall(), ""},
		{"slicer", slicer(7, 1), ""},
		{"slicer as JSON has it", slicer(7.0, 1.0), ""},
		{"negative rate panics the process", Bandwidth(-1), "rate is negative"},
		{"a rate that overflows", Bandwidth(1 << 60), "above"},
		{"slicer that recurses for ever", slicer(0, 0), "average_size >= 2"},
		{"slicer of one byte", slicer(1, 0), "average_size >= 2"},
		{"slicer that panics", slicer(7, 7), "size_variation below it"},
		{"fraction", slicer(7.5, 0), "not a whole number"},
		{"misspelt attribute", Toxic{Type: "latency", Direction: Upstream, Attr: map[string]any{"latancy": 1}},
			`no attribute "latancy" (known: latency, jitter)`},
		{"unknown type", Toxic{Type: "reset_peer", Direction: Upstream}, "unknown type"},
		{"no direction", Toxic{Type: "latency"}, "direction"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.toxic.Check()
			if tt.want == "" && err != nil {
				t.Fatalf("Check() = %v, want none", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("Check() = %v, want %q in it", err, tt.want)
			}
		})
	}
}
