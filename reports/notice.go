package reports

import (
	"cmp"
	"time"

	"github.com/streamproof/streamproof/harness/verdict"
)

// NoticeSchema versions the body of a notice.
const NoticeSchema = "streamproof.notice/1"

// Bounds on the length of a notice: chat services refuse long ones.
const (
	noticeScenarios = 50
	noticeCauses    = 20
)

// A Notice is what is told of a run to a webhook. It holds no header, no body of a
// request and no line of a log.
type Notice struct {
	Schema    string                  `json:"schema"`
	Text      string                  `json:"text"` // one line
	Verdict   verdict.Verdict         `json:"verdict"`
	Tool      string                  `json:"tool"`
	App       string                  `json:"app"`
	Seed      uint64                  `json:"seed"`
	Repro     string                  `json:"repro"`
	StartedAt time.Time               `json:"started_at"`
	Seconds   float64                 `json:"duration_seconds"` // 0 where the record has no end
	Complete  bool                    `json:"complete"`
	Streams   int                     `json:"streams"`
	Outcomes  map[verdict.Outcome]int `json:"outcomes"`
	// Scenarios are the worst 50, Causes the first 20 distinct ones; Left counts those
	// beyond.
	Scenarios []NoticeScenario `json:"scenarios"`
	Causes    []NoticeCause    `json:"causes"`
	Left      int              `json:"left_out,omitempty"`
	Link      string           `json:"link,omitempty"` // to the job, where CI says it
}

// A NoticeScenario is one scenario of a notice.
type NoticeScenario struct {
	ID      string          `json:"id"`
	Verdict verdict.Verdict `json:"verdict"`
	Why     string          `json:"why"`
	Streams int             `json:"streams"`
}

// A NoticeCause is one distinct cause of a notice.
type NoticeCause struct {
	Cause      string   `json:"cause"`
	Layer      string   `json:"layer"`
	Confidence string   `json:"confidence"`
	Summary    string   `json:"summary"`
	Streams    int      `json:"streams"` // that it explains
	Scenarios  []string `json:"scenarios"`
}

// NoticeOf sums up a judged run.
func NoticeOf(in Input, link string) *Notice {
	in, _ = in.safe()
	r := in.Report
	n := &Notice{Schema: NoticeSchema, Text: "streamproof " + shout(r.Verdict) + ": " + headline(in),
		Verdict: orUnknown(r.Verdict),
		Tool:    r.Tool, App: in.run().Plan.App.String(), Seed: r.Seed, Repro: r.Repro, StartedAt: r.StartedAt,
		Seconds: in.lasted().Seconds(), Complete: r.Complete, Streams: r.Started, Outcomes: r.Outcomes, Link: link,
		Scenarios: []NoticeScenario{}, Causes: []NoticeCause{}}
	for _, s := range worstFirst(in.scenarios()) {
		if len(n.Scenarios) == noticeScenarios {
			n.Left++
			continue
		}
		n.Scenarios = append(n.Scenarios, NoticeScenario{s.ID, orUnknown(s.Verdict), cmp.Or(s.Why, brief(s)), s.Started})
	}
	for _, d := range distinctCauses(in) {
		if len(n.Causes) == noticeCauses {
			n.Left++
			continue
		}
		c := NoticeCause{Cause: d.Cause.Cause, Layer: d.Layer, Confidence: d.Confidence, Summary: d.Summary, Streams: d.Total}
		for _, f := range d.Where {
			c.Scenarios = append(c.Scenarios, f.ID)
		}
		n.Causes = append(n.Causes, c)
	}
	return n
}

// Hide puts every text of the notice through hide, which takes secrets out.
func (n *Notice) Hide(hide func(string) string) {
	texts := []*string{&n.Text, &n.App, &n.Repro, &n.Link}
	for i := range n.Scenarios {
		texts = append(texts, &n.Scenarios[i].Why)
	}
	for i := range n.Causes {
		texts = append(texts, &n.Causes[i].Cause, &n.Causes[i].Summary)
	}
	for _, t := range texts {
		*t = hide(*t)
	}
}
