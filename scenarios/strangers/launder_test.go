//go:build linux

package strangers

import (
	"errors"
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
			spec := Spec{Server: "go", Edge: edge.Name, App: map[string]string{"BUG": "raise", "EVENTS": "20"}}
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
			if laundered := !errors.Is(err, io.ErrUnexpectedEOF); laundered != edge.Launders {
				t.Errorf("%d bytes, %v; launders: %v", len(body), err, laundered)
			}
		})
	}
}
