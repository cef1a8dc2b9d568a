// Command goserver streams an answer as an ordinary Go service does.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
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
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
