package synth

import (
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// tick is the time between a last event and what follows at once.
const tick = 300 * time.Microsecond

func terminal(s *record.Stream, at time.Duration) {
	s.Content.State, s.TerminalAt = stream.Complete, at
	s.Content.Terminals++
}

// Whole is the ending that every stream owes: terminal, then the end of the body.
func Whole(s *record.Stream, last time.Duration) {
	terminal(s, last+tick)
	s.End = last + 2*tick
}

// Clean ends the body as if all were well, without a terminal.
func Clean(s *record.Stream, last time.Duration) { s.End = last + tick }

// CleanInFrame ends the body as if all were well, inside a frame.
func CleanInFrame(s *record.Stream, last time.Duration) {
	Clean(s, last)
	s.Content.State, s.Partial = stream.CutFrame, 7
}

// ByClose ends a body that only the close delimits, without a terminal.
func ByClose(s *record.Stream, last time.Duration) {
	Clean(s, last)
	s.Wire.Framing, s.Wire.Close, s.Wire.Where = record.CloseDelimited, record.CloseFIN, record.InBody
}

// FIN cuts a chunked body between two chunks.
func FIN(s *record.Stream, last time.Duration) {
	s.End = last + tick
	s.Wire.Close, s.Wire.Where, s.Wire.Err = record.CloseFIN, record.BetweenChunks, "unexpected EOF"
}

// FINInFrame cuts a chunked body inside an event.
func FINInFrame(s *record.Stream, last time.Duration) {
	FIN(s, last)
	s.Wire.Where, s.Content.State, s.Partial = record.InChunk, stream.CutFrame, 7
}

// RST resets the connection in the body.
func RST(s *record.Stream, last time.Duration) {
	s.End = last + tick
	s.Wire.Close, s.Wire.Where, s.Wire.Err = record.CloseRST, record.BetweenChunks, "connection reset by peer"
}

// CutAt cuts at an absolute time, with a FIN.
func CutAt(at time.Duration) End {
	return func(s *record.Stream, last time.Duration) {
		FIN(s, last)
		s.End = max(at, last)
	}
}

// CleanAt ends the body at an absolute time as if all were well.
func CleanAt(at time.Duration) End {
	return func(s *record.Stream, last time.Duration) { s.End = max(at, last) }
}

// Ragged sends the terminal and cuts.
func Ragged(s *record.Stream, last time.Duration) {
	FIN(s, last)
	terminal(s, last+tick)
	s.End = last + 2*tick
}

// Silent says nothing more until our gap limit ends the stream.
func Silent(limit time.Duration) End {
	return func(s *record.Stream, last time.Duration) {
		s.End, s.Limit = last+limit, record.GapLimit
		s.Wire.Where = record.BetweenChunks
	}
}

// Open sends the terminal and leaves the connection open until our gap limit.
func Open(limit time.Duration) End {
	return func(s *record.Stream, last time.Duration) {
		Silent(limit)(s, last)
		terminal(s, last+tick)
		s.Wire.Lingered = limit - tick
	}
}

// ErrorEvent says in band that the server failed, and ends properly.
func ErrorEvent(s *record.Stream, last time.Duration) {
	s.Content.Errors, s.Content.ErrorText = 1, "model overloaded"
	s.End = last + 2*tick
}

// ErrorTerminal says in band that the server failed, and then that all is well.
func ErrorTerminal(s *record.Stream, last time.Duration) {
	ErrorEvent(s, last)
	terminal(s, last+tick)
}

// Twice sends the terminal twice.
func Twice(s *record.Stream, last time.Duration) {
	Whole(s, last)
	s.Content.Terminals, s.Content.AfterTerminal = 2, 1
}

// Wrong ends well, with content that is not.
func Wrong(state stream.State, why string) End {
	return func(s *record.Stream, last time.Duration) {
		Whole(s, last)
		s.Content.State, s.Content.Why = state, why
	}
}

// Garbage breaks the framing.
func Garbage(what string, spliced bool) End {
	return func(s *record.Stream, last time.Duration) {
		s.End = last + tick
		s.Wire.Where, s.Wire.Garbage, s.Wire.Spliced = record.InChunkHeader, what, spliced
	}
}

// headless takes everything away that a response head would have brought.
func headless(s *record.Stream) {
	s.Headers, s.Status, s.MaxGap, s.ProgressGap = record.Never, 0, 0, 0
	s.Wire.Framing = ""
	s.Content.Worker = ""
}

// NoListener is a connection refused. Use it with KeepNone.
func NoListener(s *record.Stream, _ time.Duration) {
	headless(s)
	s.Connect, s.Send, s.End = record.Never, record.Never, s.Sched+tick
	s.Wire.Close, s.Wire.Where, s.Wire.Err = record.CloseError, record.BeforeConnect, "connect: connection refused"
}

// NoHead is a connection that ends before the response head. Use it with
// KeepNone.
func NoHead(s *record.Stream, _ time.Duration) {
	headless(s)
	s.End = s.Send + tick
	s.Wire.Close, s.Wire.Where = record.CloseFIN, record.BeforeHeaders
}

// Status answers with a whole error page. Use it with KeepNone.
func Status(code int) End {
	return func(s *record.Stream, last time.Duration) {
		s.Status, s.ContentType, s.End = code, "text/html", last+tick
		s.Wire.Framing = record.Length
		s.Header["Content-Length"] = strconv.Itoa(150)
		s.Content.State = stream.Empty
	}
}

// Left is a stream that we hung up on.
func Left(by record.Limit) End {
	return func(s *record.Stream, last time.Duration) {
		s.End, s.Limit = last+tick, by
		s.Wire.Where = record.BetweenChunks
	}
}

// Torn is a stream whose end the record lacks.
func Torn(s *record.Stream, _ time.Duration) { s.End, s.Wire.Where = record.Never, "" }
