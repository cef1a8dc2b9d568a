package verdict_test

import (
	"math"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Figures of Fisher's own tea test and of two arms, from published tables.
func TestFisher(t *testing.T) {
	for _, tt := range []struct {
		bad, n, otherBad, otherN int
		want                     float64
	}{
		{3, 4, 1, 4, 0.2428571}, {4, 4, 0, 4, 0.0142857}, {8, 8, 0, 8, 7.77e-5}, {0, 5, 0, 5, 1}, {1, 1, 0, 9, 0.1},
		{0, 4, 3, 4, 1},
	} {
		if got := verdict.Fisher(tt.bad, tt.n, tt.otherBad, tt.otherN); math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("%+v: %.6f", tt, got)
		}
	}
}

// served deals streams out to servers, each with its number of bad ones.
func served(field string, of map[string][2]int) *verdict.Scope {
	b := synth.New(record.Scenario{ID: "control"})
	for _, name := range []string{"r1", "r2", "r3"} {
		for i := range of[name][1] {
			sh := synth.Shape{Mute: true}
			if i < of[name][0] {
				sh.Keep, sh.End = 5, synth.Clean
			}
			b.Add(1, sh)
			b.Run.Streams[len(b.Run.Streams)-1].Header = map[string]string{field: name}
		}
	}
	scopes := verdict.Scopes(&b.Run)
	return &scopes[0]
}

func TestFate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		field string
		of    map[string][2]int
		want  string // "" for none
		all   bool
	}{
		{"always and never", "X-Served-By", map[string][2]int{"r1": {0, 10}, "r2": {10, 10}}, "r2", true},
		{"half and never", "Server-Timing", map[string][2]int{"r1": {0, 20}, "r2": {10, 20}}, "r2", true},
		{"one of three", "X-Pod", map[string][2]int{"r1": {0, 8}, "r2": {8, 8}, "r3": {0, 8}}, "r2", true},
		{"more often", "X-Node", map[string][2]int{"r1": {2, 30}, "r2": {28, 30}}, "r2", false},
		{"chance", "X-Served-By", map[string][2]int{"r1": {3, 10}, "r2": {6, 10}}, "", false},
		{"too few", "X-Served-By", map[string][2]int{"r1": {0, 2}, "r2": {2, 2}}, "", false},
		{"both", "X-Served-By", map[string][2]int{"r1": {10, 10}, "r2": {10, 10}}, "", false},
		{"one server", "X-Served-By", map[string][2]int{"r2": {10, 20}}, "", false},
		{"a field of the response", "X-Cache", map[string][2]int{"r1": {0, 10}, "r2": {10, 10}}, "", false},
		{"a field of an error page's edge", "Server", map[string][2]int{"r1": {0, 10}, "r2": {10, 10}}, "", false},
	} {
		f, ok := served(tt.field, tt.of).Fate()
		if ok != (tt.want != "") || ok && (f.Name != tt.want || f.By != tt.field || f.All() != tt.all) {
			t.Errorf("%s: %t, %s", tt.name, ok, f.Fact())
		}
	}
}

// The table of replicas goes by the field, and marks the one that differs.
func TestReplicasByField(t *testing.T) {
	s := served("X-Served-By", map[string][2]int{"r1": {0, 10}, "r2": {10, 10}})
	r := verdict.Judge(s.Run)
	list := r.Scenarios[0].Replicas
	if len(list) != 2 || list[0].Name != "r1" || list[0].By != "X-Served-By" || list[0].Apart != nil ||
		list[1].Apart == nil || list[1].Outcomes[verdict.Truncated] != 10 {
		t.Errorf("%+v", list)
	}
}

// What our own fault did to the streams of one replica is not the replica's.
func TestFateLeavesOurFaultOut(t *testing.T) {
	s := served("X-Served-By", map[string][2]int{"r1": {0, 10}, "r2": {10, 10}})
	s.Scenario.Policy.Faulty = true
	for i := range s.Streams {
		if s.Streams[i].Header["X-Served-By"] == "r2" {
			s.Streams[i].Group = record.Victim
		}
	}
	if f, ok := s.Fate(); ok {
		t.Errorf("blamed %s", f.Fact())
	}
}
