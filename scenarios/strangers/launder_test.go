//go:build linux

package strangers

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What the edges make of an answer that breaks off behind them, asked by the
// standard library alone: the answer sheet leans on it.
func TestEdgesThatLaunder(t *testing.T) {
	for _, edge := range Edges {
		t.Run(edge.Name, func(t *testing.T) {
			launders(t, Spec{Server: "go", Edge: edge.Name}, edge.Launders)
		})
	}
}

// What the servers make of an exception mid-stream.
func TestServersThatLaunder(t *testing.T) {
	for _, server := range Servers {
		edge := "none"
		if server.FastCGI {
			edge = "nginx"
		}
		t.Run(server.Name, func(t *testing.T) { launders(t, Spec{Server: server.Name, Edge: edge}, server.Launders) })
	}
}

func launders(t *testing.T, spec Spec, want bool) {
	spec.App = map[string]string{"BUG": "raise", "EVENTS": "20"}
	if why := spec.Lacks(); why != "" {
		t.Skip(why)
	}
	t.Parallel()
	s, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := http.Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if got := err == nil; got != want {
		t.Errorf("%d bytes, %v; launders: %v", len(body), err, got)
	}
}
