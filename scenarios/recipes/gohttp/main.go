// Command gohttp streams an answer as newline-delimited JSON, as Go services do. It is
// the app of the recipe gohttp.yaml.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const answer = "The travel policy changed in three places: hotel rates follow the city list, " +
	"train tickets need no approval, and receipts are due within thirty days."

type line struct {
	N    int    `json:"n"`
	Text string `json:"text,omitempty"`
	Done bool   `json:"done"`
}

func chat(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Accel-Buffering", "no")
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w).Flush
	words := strings.Fields(answer)
	for i, word := range words {
		if err := errors.Join(out.Encode(line{N: i, Text: word}), flush()); err != nil {
			return
		}
		select {
		case <-r.Context().Done(): // the client has gone: stop producing
			return
		case <-time.After(30 * time.Millisecond):
		}
	}
	_ = out.Encode(line{N: len(words), Done: true})
}

func main() {
	http.HandleFunc("/chat", chat)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	// A deploy sends SIGTERM: let streams finish, take no new connection, and go.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() { drained <- server.Shutdown(context.Background()) })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-drained; err != nil {
		log.Fatal(err)
	}
}
