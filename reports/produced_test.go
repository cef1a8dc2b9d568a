package reports

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// What the app finished and what clients got of it stands among the first lines, above
// the causes, on a terminal as in a comment, and nothing stands there where no log tells.
func TestProducedStandsAtTheTop(t *testing.T) {
	line := record.Evidence{Log: "app.log", Line: 33, Text: "answer 3 is finished"}
	const lost = "worker-kill: the app finished 21 of 21 answers, but clients received only 14 complete: " +
		"7 were lost on the way (app.log:33: answer 3 is finished)"
	for _, tt := range []struct {
		name     string
		produced *verdict.Production
		want     string
	}{
		{"lost", &verdict.Production{Answers: 21, Delivered: 14, Finished: 21, Line: line}, lost},
		{"never finished", &verdict.Production{Answers: 21, Delivered: 14, Finished: 14, Line: line},
			"worker-kill: the app finished 14 of 21 answers: it never finished 7 of these (app.log:33: answer 3 is finished)"},
		{"unknown", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := failing()
			in.Report.Scenarios[worstAt(in)].Causes[0].Produced = tt.produced
			for what, top := range map[string]string{
				"text":     before(t, TextOn(Screen{}), in, "\n\n"),
				"markdown": before(t, Markdown, in, "\n**Cause"),
			} {
				if tt.want != "" && !strings.Contains(top, tt.want) || tt.want == "" && strings.Contains(top, "the app finished") {
					t.Errorf("%s begins:\n%s\nwant %q in it", what, top, tt.want)
				}
			}
		})
	}
}

func worstAt(in Input) int {
	worst := worstFirst(in.Report.Scenarios)[0].ID
	for i, s := range in.Report.Scenarios {
		if s.ID == worst {
			return i
		}
	}
	panic("no scenario " + worst)
}

// before is what a reporter writes in front of a mark.
func before(t *testing.T, write Reporter, in Input, mark string) string {
	t.Helper()
	top, _, found := strings.Cut(string(rendered(t, write, in)), mark)
	if !found {
		t.Fatalf("no %q", mark)
	}
	return top
}
