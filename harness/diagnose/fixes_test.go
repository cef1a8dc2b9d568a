package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// causeNames are the constants of names.go.
func causeNames(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			names[v.Names[0].Name] = strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return names
}

func TestLanguages(t *testing.T) {
	for _, tt := range []struct {
		fields        map[string]string
		process, line string
		app           string
		want          Language
	}{
		{fields: map[string]string{"Server": "uvicorn"}, want: Python},
		{fields: map[string]string{"Server": "nginx", "X-Powered-By": "Express"}, want: Node},
		{fields: map[string]string{"X-Powered-By": "PHP/8.2.7"}, want: PHP},
		{fields: map[string]string{"Server": "Jetty(11.0.15)"}, want: Java},
		{fields: map[string]string{"Server": "Apache-Coyote/1.1"}, want: Java},
		{fields: map[string]string{"X-Runtime": "set"}, want: Ruby},
		{process: "java", want: Java}, {process: "puma 6.0.2", want: Ruby}, {process: "php-fpm8.2", want: PHP}, {process: "node", want: Node},
		{app: "go run ./server", want: Golang}, {app: "java -jar app.jar", want: Java}, {app: "bundle exec puma",
			want: Ruby}, {app: "php -S 127.0.0.1:8000", want: PHP},
		{line: "Exception in thread \"pool-1\" java.io.IOException", want: Java}, {line: "config.ru:12:in `each': app.rb:3: boom", want: Ruby},
		{line: "panic serving 127.0.0.1:1", fields: map[string]string{"Server": "uvicorn"}, want: Golang},
		{fields: map[string]string{"Server": "nginx/1.22.1"}, want: AnyLanguage}, {process: "haproxy", want: AnyLanguage},
	} {
		run := &record.Run{Plan: record.Plan{App: record.App{Kind: record.AppCommand, Name: tt.app}},
			Hops: []record.Hop{{Name: appHop, Process: tt.process}}}
		v := &view{Scope: &verdict.Scope{Run: run, Scenario: &record.Scenario{}}, logs: map[record.LogKind][]*record.Log{}}
		v.Streams = []verdict.Graded{{Stream: &record.Stream{Header: tt.fields}}}
		if tt.line != "" {
			v.logs[record.AppLog] = []*record.Log{{Lines: []record.Line{{Text: tt.line}}}}
		}
		if got := languageOf(v); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

// A number that was met is a hint, within what timers are late by.
func TestKnownLimits(t *testing.T) {
	for _, tt := range []struct {
		kind  limitKind
		value float64
		want  string
	}{
		{limitTotal, 15.02, "Envoy"}, {limitTotal, 29.4, "API Gateway"}, {limitTotal, 30.9, "gunicorn"}, {limitTotal, 300.1, "Cloud Run"},
		{limitIdle, 60, "nginx"}, {limitIdle, 59.8, "nginx"}, {limitSize, 65536, "bufio.Scanner"}, {limitSize, 10 << 20, "API Gateway"},
		{limitTotal, 3, ""}, {limitTotal, 33, ""}, {limitIdle, 2, ""}, {limitSize, 12345, ""},
	} {
		got := known(tt.kind, tt.value)
		if tt.want == "" && got.Kind != "" || !strings.Contains(got.Name, tt.want) {
			t.Errorf("%v of %v: %q, want %q", tt.kind, tt.value, got, tt.want)
		}
	}
	for i, l := range limits {
		if l.whose == "" || l.source == "" || i > 0 && limits[i-1].kind == l.kind && limits[i-1].value > l.value {
			t.Errorf("limit %+v has no source or is out of order", l)
		}
	}
}

// Every remedy of the table of causes goes with its product and language, and a cause
// whose place is not known is given both.
func TestRemediesGoWithTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		cause, layer string
		want         []Remedy
	}{
		{ProxyReadTimeout, layerEdge, []Remedy{EdgeIdle, AppHeartbeat}},
		{AbsoluteDeadline, layerEdge, []Remedy{EdgeDeadline}},
		{AbsoluteDeadline, layerApp, []Remedy{AppDeadline}},
		{AbsoluteDeadline, layerNetwork, []Remedy{EdgeDeadline, AppDeadline}},
		{ConcurrencyLimit, layerApp, []Remedy{AppLimit}},
		{NotPropagated, layerApp, []Remedy{AppLeak, EdgeAbort}},
		{AppError, layerApp, []Remedy{AppRaised}},
	} {
		v := &view{Scope: &verdict.Scope{Run: &record.Run{}, Scenario: &record.Scenario{}}, edge: edge{product: record.EdgeCaddy}}
		v.Streams = []verdict.Graded{{Stream: &record.Stream{Header: map[string]string{"Server": "Jetty(11)"}}}}
		f := found(tt.cause, tt.layer, likely, nil)
		v.prescribe(f)
		var got []Remedy
		for _, m := range f.Mend {
			got = append(got, Remedy(m.Name))
			if at := map[record.FactKind]string{MendAtEdge: "Caddy", MendInApp: "Java"}[m.Kind]; m.Place != at {
				t.Errorf("%s at %s: %s is for %q", tt.cause, tt.layer, m, m.Place)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s at %s: %q, want %q", tt.cause, tt.layer, got, tt.want)
		}
	}
}
