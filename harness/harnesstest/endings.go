package harnesstest

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Case is a script and the record that it must leave at the client.
type Case struct {
	Name   string
	Script Script
	// Wire is what the record must say of Framing, Close, Where and Spliced.
	// Garbage is a part of what it must say, "" for nothing.
	Wire    record.Wire
	Limit   record.Limit // the bound of the client's that must have ended it
	Content stream.State
	Outcome verdict.Outcome
}

// settle lets the client read what came before the end on its own.
const settle = 20 * time.Millisecond

// A place is where a response stops.
type place struct {
	name    string
	say     string // everything up to the place
	where   record.Where
	framing record.Framing
	content stream.State
	// What it amounts to if the connection then ends in order, is reset, or
	// stays open.
	fin, rst, hang verdict.Outcome
	limit          record.Limit // that ends an open connection
	over           bool         // the framing has ended: nobody looks at the connection any more
}

// Two events and a terminal, in three framings.
var (
	events  = Event(1) + Event(2)
	chunks  = ChunkedHead + Chunk(Event(1)) + Chunk(Event(2))
	partial = "data: eve"
)

var places = []place{
	{name: "before headers", where: record.BeforeHeaders, content: stream.Empty,
		fin: verdict.Refused, rst: verdict.Refused, hang: verdict.Refused, limit: record.HeadersLimit},
	{name: "in headers", say: "HTTP/1.1 200 OK\r\nContent-Ty", where: record.InHeaders, content: stream.Empty,
		fin: verdict.Refused, rst: verdict.Refused, hang: verdict.Refused, limit: record.HeadersLimit},
	{name: "before the first event", say: ChunkedHead, where: record.BetweenChunks, framing: record.Chunked,
		content: stream.Empty,
		fin:     verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.FirstLimit},
	{name: "between chunks", say: chunks, where: record.BetweenChunks, framing: record.Chunked, content: stream.Prefix,
		fin: verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "in chunk header", say: chunks + "1", where: record.InChunkHeader, framing: record.Chunked,
		content: stream.Prefix,
		fin:     verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "in chunk", say: chunks + "20\r\n" + partial, where: record.InChunk, framing: record.Chunked,
		content: stream.CutFrame,
		fin:     verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "between chunks, in a frame", say: chunks + Chunk(partial), where: record.BetweenChunks,
		framing: record.Chunked, content: stream.CutFrame,
		fin: verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "before last CRLF", say: chunks + Chunk(Done) + "0\r\n", where: record.BeforeLastEnd, framing: record.Chunked,
		content: stream.Complete,
		fin:     verdict.Complete, rst: verdict.Complete, hang: verdict.Complete},
	{name: "after the terminal", say: chunks + Chunk(Done), where: record.BetweenChunks, framing: record.Chunked,
		content: stream.Complete,
		fin:     verdict.Complete, rst: verdict.Complete, hang: verdict.Complete},
	{name: "short of its length", say: LengthHead(1000) + events, where: record.InBody, framing: record.Length,
		content: stream.Prefix,
		fin:     verdict.Aborted, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "in a body that the close delimits", say: CloseHead + events, where: record.InBody,
		framing: record.CloseDelimited, content: stream.Prefix,
		fin: verdict.Truncated, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "in a frame that the close delimits", say: CloseHead + events + partial, where: record.InBody,
		framing: record.CloseDelimited, content: stream.CutFrame,
		fin: verdict.Truncated, rst: verdict.Aborted, hang: verdict.Stalled, limit: record.GapLimit},
	{name: "at the end", say: chunks + Chunk(Done) + LastChunk, where: record.AtEnd, framing: record.Chunked,
		content: stream.Complete,
		fin:     verdict.Complete, rst: verdict.Complete, hang: verdict.Complete, over: true},
	{name: "at the end without a terminal", say: chunks + LastChunk, where: record.AtEnd, framing: record.Chunked,
		content: stream.Prefix,
		fin:     verdict.Truncated, rst: verdict.Truncated, hang: verdict.Truncated, over: true},
	{name: "at the end of its length", say: LengthHead(len(events+Done)) + events + Done, where: record.AtEnd,
		framing: record.Length, content: stream.Complete,
		fin: verdict.Complete, rst: verdict.Complete, hang: verdict.Complete, over: true},
	{name: "after the end", say: LengthHead(len(events)) + events + Done, where: record.AfterEnd, framing: record.Length,
		content: stream.Prefix,
		fin:     verdict.Corrupt, rst: verdict.Corrupt, hang: verdict.Corrupt, over: true},
}

// Endings are all places crossed with all ways of stopping there, and the ways
// in which the framing itself can break.
func Endings() []Case {
	var all []Case
	for _, p := range places {
		all = append(all, p.ending("FIN", FIN, record.CloseFIN, p.fin), p.ending("RST", RST, record.CloseRST, p.rst))
		open := p.ending("left open", Hang, record.CloseNone, p.hang)
		open.Limit = p.limit
		all = append(all, open)
	}
	half := places[3].ending("half-closed", HalfClose, record.CloseFIN, verdict.Aborted)
	half.Script = half.Script.Then(Hang)
	return append(append(all, half), broken...)
}

func (p place) ending(how string, end Step, close record.Close, o verdict.Outcome) Case {
	c := Case{Name: p.name + ", " + how, Script: Script{Say(p.say), Pause(settle), end},
		Wire: record.Wire{Framing: p.framing, Close: close, Where: p.where}, Content: p.content, Outcome: o}
	if p.over {
		c.Wire.Close = record.CloseNone // we close first
	}
	if p.where == record.AfterEnd {
		c.Wire.Garbage = "after the end"
	}
	return c
}

// broken are responses that are none.
var broken = []Case{
	{Name: "second response spliced in",
		Script: Script{Say(chunks), Pause(settle),
			Say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"), FIN},
		Wire:    record.Wire{Framing: record.Chunked, Where: record.InChunkHeader, Garbage: "HTTP/1.1 500", Spliced: true},
		Content: stream.Prefix, Outcome: verdict.Corrupt},
	{Name: "garbage for a chunk's size", Script: Script{Say(chunks + "xyzzy\r\n"), Hang},
		Wire:    record.Wire{Framing: record.Chunked, Where: record.InChunkHeader, Garbage: "xyzzy"},
		Content: stream.Prefix, Outcome: verdict.Corrupt},
	{Name: "negative chunk size", Script: Script{Say(chunks + "-1\r\n"), Hang},
		Wire:    record.Wire{Framing: record.Chunked, Where: record.InChunkHeader, Garbage: "-1"},
		Content: stream.Prefix, Outcome: verdict.Corrupt},
	{Name: "chunk size beyond 64 bits", Script: Script{Say(chunks + "fffffffffffffffff\r\n"), Hang},
		Wire:    record.Wire{Framing: record.Chunked, Where: record.InChunkHeader, Garbage: "fffffffffffffffff"},
		Content: stream.Prefix, Outcome: verdict.Corrupt},
	{Name: "chunk longer than it says", Script: Script{Say(chunks + "4\r\n" + Event(3) + "\r\n"), Hang},
		Wire:    record.Wire{Framing: record.Chunked, Where: record.InChunk, Garbage: ":"},
		Content: stream.CutFrame, Outcome: verdict.Corrupt},
	{Name: "not HTTP", Script: Script{Say("SSH-2.0-OpenSSH_9.2\r\n"), Hang},
		Wire:    record.Wire{Where: record.InHeaders, Garbage: "SSH-2.0"},
		Content: stream.Empty, Outcome: verdict.Corrupt},
	{Name: "two lengths", Script: Script{Say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), Hang},
		Wire:    record.Wire{Where: record.InHeaders, Garbage: "Content-Length: 2"},
		Content: stream.Empty, Outcome: verdict.Corrupt},
}
