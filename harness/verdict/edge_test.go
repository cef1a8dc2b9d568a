package verdict_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An edge is named by its field, its process or its log; never by what the app
// says of itself, nor by the nginx that we put in front.
func TestEdgeProduct(t *testing.T) {
	for _, tt := range []struct {
		name      string
		edge, app string // Server fields
		form      string
		hops      []record.Hop
		log       record.LogKind
		want      record.EdgeProduct
		label     string
	}{
		{name: "by its field", edge: "Caddy", want: record.EdgeCaddy},
		{name: "by its process", edge: "uvicorn", hops: []record.Hop{{Name: "app", Process: "haproxy", URL: "u"}},
			want: record.EdgeHAProxy},
		{name: "by its log", log: record.NginxError, want: record.EdgeNginx},
		{name: "by nothing", edge: "uvicorn", want: record.EdgeUnknown},
		{name: "the app says so itself", edge: "Apache/2.4", app: "Apache/2.4", hops: []record.Hop{{Name: record.ForeignHop},
			{Name: "app"}}, want: record.EdgeUnknown, label: "the edge"},
		{name: "the edge beside the app's word", edge: "lighttpd/1.4", app: "Apache/2.4",
			hops: []record.Hop{{Name: record.ForeignHop}, {Name: "app"}}, want: record.EdgeLighttpd, label: "lighttpd"},
		{name: "our nginx before theirs", form: "default", edge: "nginx/1.22", log: record.NginxError,
			hops: []record.Hop{{Name: record.NginxHop, Process: "nginx"}, {Name: "app"}}, want: record.EdgeUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "control", Edge: tt.form, Peel: true})
			b.Run.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000"}
			for _, h := range tt.hops {
				h.Scenario = "control"
				b.Run.Hops = append(b.Run.Hops, h)
			}
			if tt.log != "" {
				b.Log(tt.log)
			}
			b.Add(2, synth.Shape{Hop: "edge"})
			b.Add(2, synth.Shape{Hop: record.ForeignHop})
			b.Add(2, synth.Shape{Hop: "app"})
			for i := range b.Run.Streams {
				s := &b.Run.Streams[i]
				s.Header = map[string]string{"Server": tt.edge}
				if s.Hop == "app" && tt.app != "" {
					s.Header["Server"] = tt.app
				}
			}
			scope := &verdict.Scopes(&b.Run)[0]
			if p, sign := scope.EdgeProduct(); p != tt.want || (p != "") != (sign != "") {
				t.Errorf("%q by %q, want %q", p, sign, tt.want)
			}
			for _, h := range verdict.Judge(&b.Run).Scenarios[0].Hops {
				if h.Hop == record.ForeignHop && h.Label != tt.label {
					t.Errorf("the hop is called %q, want %q", h.Label, tt.label)
				}
			}
		})
	}
}
