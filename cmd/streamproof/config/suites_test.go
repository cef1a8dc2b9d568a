package config

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

func TestQuarantineIsForATime(t *testing.T) {
	const good = "quarantine:\n  - {scenario: cut, reason: APP-1, until: 2026-12-31}\n"
	f, err := Parse("c.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Quarantined([]string{"cut"})
	want := record.Quarantine{Scenario: "cut", Reason: "APP-1", Until: "2026-12-31"}
	if err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("%+v, %v", list, err)
	}
	for _, tt := range []struct{ entry, want string }{
		{"{reason: r, until: 2026-12-31}", "a quarantine of no scenario; add scenario: its ID"},
		{"{scenario: cot, reason: r, until: 2026-12-31}", `c.yaml:2:16: unknown scenario "cot"; did you mean "cut"?`},
		{"{scenario: cut, until: 2026-12-31}", "the quarantine of cut has no reason; add reason: why, and who looks after it"},
		{`{scenario: cut, reason: " ", until: 2026-12-31}`, "has no reason"},
		{"{scenario: cut, reason: r}", "the quarantine of cut has no date on which it ends; add until: 2"},
		{"{scenario: cut, reason: r, until: soon}", `"soon" is no date; write it like 2026-12-31`},
		{"{scenario: cut, reason: r, until: 2026-02-30}", `"2026-02-30" is no date`},
		{"{scenario: cut, reason: r, until: 2026-12-31T10:00:00Z}", "is no date"},
		{"{scenario: cut, reason: r, until: 2026-12-31}\n  - {scenario: cut, reason: r, until: 2027-12-31}",
			"c.yaml:3:16: cut is in quarantine already; keep one of the two"},
	} {
		f, err := Parse("c.yaml", []byte("quarantine:\n  - "+tt.entry+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", tt.entry, err)
		}
		if _, err := f.Quarantined([]string{"control", "cut"}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.entry, err, tt.want)
		}
	}
}

func TestShardIsOneOfSome(t *testing.T) {
	var s Shard
	if err := s.Set("2/4"); err != nil || s != (Shard{2, 4}) || s.String() != "2/4" {
		t.Errorf("%+v, %v", s, err)
	}
	for text, want := range map[string]string{"": "is no shard; write it like 2/4", "2": "is no shard",
		"a/b": "is no shard", "1/0": "is no shard", "0/4": "there is no shard 0 of 4; name one from 1/4 to 4/4",
		"5/4": "there is no shard 5 of 4", "-1/4": "there is no shard -1 of 4"} {
		if err := s.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
