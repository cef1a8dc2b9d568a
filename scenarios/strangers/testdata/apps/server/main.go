// An ordinary Go server; script.py says what its variables mean.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func env(name, or string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return or
}

func number(name, or string) int { n, _ := strconv.Atoi(env(name, or)); return n }

type span struct{ low, high int }

func spanOf(name, or string) span {
	low, high, ok := strings.Cut(env(name, or), "-")
	if !ok {
		high = low
	}
	a, _ := strconv.Atoi(low)
	b, _ := strconv.Atoi(high)
	return span{a, b}
}

func (s span) draw() int { return s.low + rand.IntN(s.high-s.low+1) }

var (
	shape, bug        = env("SHAPE", "openai"), env("BUG", "")
	at, share, limit  = number("AT", "6"), number("SHARE", "100"), number("LIMIT", "5")
	events, gap, size = spanOf("EVENTS", "20-60"), spanOf("GAP", "20-60"), spanOf("SIZE", "4-40")
	seconds, _        = strconv.ParseFloat(env("SECONDS", "2"), 64)
	slots             = make(chan struct{}, limit)
	types             = map[string]string{"openai": "text/event-stream", "sse": "text/event-stream", "ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}
	terminals         = map[string]string{"openai": "data: [DONE]\n\n", "sse": "event: done\ndata: {}\n\n", "ndjson": "{\"token\":\"\",\"done\":true}\n"}
)

func word() string {
	b := make([]byte, size.draw(), size.high+1)
	for i := range b {
		b[i] = byte('a' + rand.IntN(26))
	}
	return string(append(b, ' '))
}

func chunk(delta, reason string) string {
	return `data: {"id":"chatcmpl-7f3a","object":"chat.completion.chunk","created":1764240000,"model":"small-1","choices":[{"index":0,"delta":` +
		delta + `,"finish_reason":` + reason + "}]}\n\n"
}

func piece(text string) string {
	switch shape {
	case "text":
		return text
	case "ndjson":
		return fmt.Sprintf("{\"token\":%q,\"done\":false}\n", text)
	case "sse":
		return fmt.Sprintf("data: {\"text\":%q}\n\n", text)
	}
	return chunk(fmt.Sprintf(`{"content":%q}`, text), "null")
}

func failure() string {
	const body = `{"error":{"message":"upstream model overloaded","type":"server_error"}}`
	switch shape {
	case "sse":
		return "event: error\ndata: " + body + "\n\n"
	case "ndjson":
		return body + "\n"
	}
	return "data: " + body + "\n\n"
}

var errStop = errors.New("over")

// answer writes the pieces of one answer with put.
func answer(put func(time.Duration, string) error) error {
	wrong := ""
	if rand.IntN(100) < share {
		wrong = bug
	}
	for i := range events.draw() {
		wait := time.Duration(gap.draw()) * time.Millisecond
		if i == at {
			switch wrong {
			case "raise":
				panic("index out of date: retriever is nil")
			case "stop":
				return errStop
			case "inband":
				put(wait, failure())
				return errStop
			case "stall":
				wait = time.Duration(seconds * float64(time.Second))
			}
		}
		if err := put(wait, piece(word())); err != nil {
			return err
		}
	}
	if shape == "openai" {
		put(0, chunk("{}", `"stop"`))
	}
	if wrong == "open" {
		time.Sleep(time.Minute)
	}
	if wrong == "unfinished" {
		return nil
	}
	return put(0, terminals[shape])
}

func complete(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	switch {
	case bug == "status" && rand.IntN(100) < share:
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
		return
	case bug == "redirect":
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	case bug == "limit":
		slots <- struct{}{}
		defer func() { <-slots }()
	}
	w.Header().Set("Content-Type", types[shape])
	if bug == "join" {
		var all strings.Builder
		answer(func(wait time.Duration, s string) error { time.Sleep(wait); all.WriteString(s); return nil })
		w.Header().Set("Content-Length", strconv.Itoa(all.Len()))
		io.WriteString(w, all.String())
		return
	}
	err := answer(func(wait time.Duration, s string) error {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return r.Context().Err()
		}
		if _, err := io.WriteString(w, s); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	})
	if err != nil && err != errStop {
		log.Printf("stream: %v", err)
	}
}

func main() {
	http.HandleFunc("/v1/chat/completions", complete)
	http.HandleFunc("/stream", complete)
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/stream", http.StatusFound) })
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	srv := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	if bug == "deadline" {
		srv.WriteTimeout = time.Duration(seconds * float64(time.Second))
	}
	log.Fatal(srv.ListenAndServe())
}
