// Command goserver streams an answer as an ordinary Go service does.
package main

import (
	"context"
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

func chat(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, word := range strings.Fields(answer) {
		fmt.Fprintf(w, "data: %s\n\n", word)
		w.(http.Flusher).Flush()
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func main() {
	http.HandleFunc("/chat", chat)
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	server.Shutdown(context.Background())
}
