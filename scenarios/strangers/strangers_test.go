//go:build linux

package strangers

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the program
		<-stop
		CloseAll()
		Cleanup()
		os.Exit(1)
	}()
	code := m.Run()
	Cleanup()
	os.Exit(code)
}

// Every server answers whole through an edge, every edge has a server behind it, and
// nothing of them stays behind.
func TestStacksAnswer(t *testing.T) {
	for i, server := range Servers {
		edge := Edges[1+i%(len(Edges)-1)]
		if server.FastCGI {
			edge = EdgeNamed("nginx")
		}
		t.Run(server.Name+" behind "+edge.Name, func(t *testing.T) { answersWhole(t, Spec{Server: server.Name, Edge: edge.Name}) })
	}
	for _, edge := range Edges {
		if edge.FastCGI && edge.Name != "nginx" {
			t.Run("php-fpm behind "+edge.Name, func(t *testing.T) { answersWhole(t, Spec{Server: "php-fpm", Edge: edge.Name}) })
		}
	}
}

func answersWhole(t *testing.T, spec Spec) {
	if why := spec.Lacks(); why != "" {
		t.Skip(why)
	}
	t.Parallel()
	spec.App = map[string]string{"EVENTS": "20", "GAP": "20"}
	s, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	begun := time.Now()
	r, err := http.Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var arrivals []string
	buf := make([]byte, 64<<10)
	var all strings.Builder
	for err == nil {
		var n int
		if n, err = r.Body.Read(buf); n > 0 {
			arrivals = append(arrivals, fmt.Sprintf("%d@%d", n, time.Since(begun).Milliseconds()))
			all.Write(buf[:n])
		}
	}
	if err != io.EOF || !strings.HasSuffix(all.String(), "data: [DONE]\n\n") || strings.Count(all.String(), "data: ") != 22 {
		t.Errorf("%d: %v, %q", r.StatusCode, err, all.String())
	}
	t.Logf("%d arrivals: %s", len(arrivals), strings.Join(arrivals, " "))
}
