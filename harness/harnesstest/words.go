package harnesstest

import (
	"fmt"
	"strconv"
)

// The words of the scripts.
const (
	// Terminal recognises Done.
	Terminal = `data == "[DONE]"`
	Done     = "data: [DONE]\n\n"

	ChunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	// CloseHead announces a body that ends with the connection.
	CloseHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
	LastChunk = "0\r\n\r\n"
)

// LengthHead announces a body of n bytes.
func LengthHead(n int) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + strconv.Itoa(n) + "\r\n\r\n"
}

// Event is content event i.
func Event(i int) string { return fmt.Sprintf("data: event %d\n\n", i) }

// Chunk is text as one chunk: RFC 9112 section 7.1.
func Chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
