// Package http1test has HTTP/1.1 messages that can be misread, each with the one way
// in which package http1 reads it. The tests of the decoder, of the tap and of the
// relay all go through them, so that no two of the three disagree.
package http1test

import "github.com/streamproof/streamproof/harness/record"

// A Response is what a server sends on one connection, and how it is read.
type Response struct {
	Name   string
	Method string // of the request; "" is GET
	Wire   string

	Status  int
	Framing record.Framing
	Body    string
	Where   record.Where // of the byte after Wire
	Garbage string       // what is wrong with Wire; "" if it is sound
	Coded   bool         // the body has a transfer coding beside chunked
}

const (
	ok       = "HTTP/1.1 200 OK\r\n"
	chunked  = "Transfer-Encoding: chunked\r\n"
	switches = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
)

// Responses are the cases of responses.
var Responses = []Response{
	// Content-Length
	{Name: "length twice, the same", Wire: ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "length as a list, the same", Wire: ok + "Content-Length: 3, 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "length twice, different", Wire: ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length: 4"`},
	{Name: "length as a list, different", Wire: ok + "Content-Length: 3, 4\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length: 3, 4"`},
	{Name: "length with a sign", Wire: ok + "Content-Length: +3\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length: +3"`},
	{Name: "length below zero", Wire: ok + "Content-Length: -3\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length: -3"`},
	{Name: "length without a number", Wire: ok + "Content-Length:\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length:"`},
	{Name: "length beyond 63 bits", Wire: ok + "Content-Length: 9223372036854775808\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length: 9223372036854775808"`},
	{Name: "bytes after the length", Wire: ok + "Content-Length: 3\r\n\r\nabc surplus",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AfterEnd,
		Garbage: `bytes after the end " surplus"`},
	{Name: "neither length nor chunks", Wire: ok + "\r\nabc",
		Status: 200, Framing: record.CloseDelimited, Body: "abc", Where: record.InBody},

	// Transfer-Encoding
	{Name: "chunks beat a length", Wire: ok + "Content-Length: 30\r\n" + chunked + "\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "chunks beat a length behind them", Wire: ok + chunked + "Content-Length: 30\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "chunks in capitals", Wire: ok + "TRANSFER-ENCODING:\t Chunked \r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "a coding within chunks", Wire: ok + "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd, Coded: true},
	{Name: "a coding within chunks, in two fields",
		Wire:   ok + "Transfer-Encoding: gzip\r\n" + chunked + "\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd, Coded: true},
	{Name: "chunks within a coding", Wire: ok + "Transfer-Encoding: chunked, gzip\r\n\r\n3\r\nabc",
		Status: 200, Framing: record.CloseDelimited, Body: "3\r\nabc", Where: record.InBody, Coded: true},
	{Name: "a coding beats a length", Wire: ok + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc",
		Status: 200, Framing: record.CloseDelimited, Body: "abc", Where: record.InBody, Coded: true},
	{Name: "a coding that is nearly chunked",
		Wire:   ok + "Transfer-Encoding: xchunked\r\nContent-Length: 1\r\n\r\nabc",
		Status: 200, Framing: record.CloseDelimited, Body: "abc", Where: record.InBody, Coded: true},
	{Name: "no coding, as RFC 2616 said it", Wire: ok + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "no coding, and no length", Wire: ok + "Transfer-Encoding: Identity\r\n\r\nabc",
		Status: 200, Framing: record.CloseDelimited, Body: "abc", Where: record.InBody},
	{Name: "no coding, and chunks", Wire: ok + "Transfer-Encoding: identity, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "chunks in HTTP/1.0", Wire: "HTTP/1.0 200 OK\r\n" + chunked + "\r\n3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},

	// Lines
	{Name: "head with lone LF", Wire: "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "white space before the colon", Wire: ok + "Content-Length : 3\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length : 3"`},
	{Name: "field without a colon", Wire: ok + "Content-Length\r\n\r\nabc",
		Status: 200, Where: record.InHeaders, Garbage: `invalid response head "Content-Length"`},
	{Name: "folded field", Wire: ok + "X: y\r\n Content-Length: 9\r\nContent-Length: 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "status of two digits", Wire: "HTTP/1.1 20 OK\r\n\r\n",
		Where: record.InHeaders, Garbage: `invalid response head "HTTP/1.1 20 OK"`},
	{Name: "HTTP/2 in the status line", Wire: "HTTP/2.0 200 OK\r\n\r\n",
		Where: record.InHeaders, Garbage: `invalid response head "HTTP/2.0 200 OK"`},

	// Chunks
	{Name: "chunk with extensions", Wire: ok + chunked + "\r\n3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "white space before an extension", Wire: ok + chunked + "\r\n3 \t;a\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "lone LF in an extension", Wire: ok + chunked + "\r\n3;a\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header "3"`},
	{Name: "lone LF after a chunk size", Wire: ok + chunked + "\r\n3\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header "3"`},
	{Name: "CR without LF after a chunk size", Wire: ok + chunked + "\r\n3\rabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header "3abc"`},
	{Name: "lone LF after a chunk", Wire: ok + chunked + "\r\n3\r\nabc\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.InChunk,
		Garbage: `invalid chunk end "\n0\r\n\r\n"`},
	{Name: "chunk longer than its size", Wire: ok + chunked + "\r\n3\r\nabcd\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.InChunk, Garbage: `invalid chunk end "d"`},
	{Name: "chunk size with 0x", Wire: ok + chunked + "\r\n0x3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header "0x3"`},
	{Name: "chunk size below zero", Wire: ok + chunked + "\r\n-3\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header "-3"`},
	{Name: "chunk size beyond 63 bits", Wire: ok + chunked + "\r\n10000000000000003\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader,
		Garbage: `invalid chunk header "10000000000000003"`},
	{Name: "no chunk size", Wire: ok + chunked + "\r\n;a\r\nabc\r\n0\r\n\r\n",
		Status: 200, Framing: record.Chunked, Where: record.InChunkHeader, Garbage: `invalid chunk header ";a"`},
	{Name: "trailers", Wire: ok + chunked + "\r\n3\r\nabc\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.AtEnd},
	{Name: "trailers cut", Wire: ok + chunked + "\r\n3\r\nabc\r\n0\r\nX: y\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.BeforeLastEnd},
	{Name: "second response within chunks", Wire: ok + chunked + "\r\n3\r\nabc\r\nHTTP/1.1 500 Oops\r\n\r\n",
		Status: 200, Framing: record.Chunked, Body: "abc", Where: record.InChunkHeader,
		Garbage: `invalid chunk header "HTTP/1.1 500 Oops"`},

	// Responses without a body, and those before the response
	{Name: "100 before it", Wire: "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "103 with framing of its own",
		Wire:   "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n" + chunked + "\r\n" + ok + "Content-Length: 3\r\n\r\nabc",
		Status: 200, Framing: record.Length, Body: "abc", Where: record.AtEnd},
	{Name: "HEAD with a length", Method: "HEAD", Wire: ok + "Content-Length: 3\r\n\r\n",
		Status: 200, Framing: record.NoBody, Where: record.AtEnd},
	{Name: "HEAD with chunks", Method: "HEAD", Wire: ok + chunked + "\r\n",
		Status: 200, Framing: record.NoBody, Where: record.AtEnd},
	{Name: "204 with a length", Wire: "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
		Status: 204, Framing: record.NoBody, Where: record.AtEnd},
	{Name: "304 with chunks", Wire: "HTTP/1.1 304 Not Modified\r\n" + chunked + "\r\n",
		Status: 304, Framing: record.NoBody, Where: record.AtEnd},
	{Name: "upgrade", Wire: switches,
		Status: 101, Framing: record.NoBody, Where: record.AtEnd},
	{Name: "upgrade and the other protocol", Wire: switches + "\x81\x03abc",
		Status: 101, Framing: record.NoBody, Where: record.AfterEnd, Garbage: `bytes after the end "\x81\x03abc"`},
}

// A Request is what a client sends on one connection, and how it is read.
type Request struct {
	Name    string
	Wire    string
	Methods string // of the requests in Wire, in order
	Body    string // of all of them
	Broken  bool   // what stands behind the last of Methods is no HTTP/1.1
}

// Requests are the cases of requests.
var Requests = []Request{
	{Name: "no body", Wire: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Methods: "GET"},
	{Name: "one after the other", Wire: "GET / HTTP/1.1\r\n\r\nDELETE /a HTTP/1.1\r\n\r\n", Methods: "GET DELETE"},
	{Name: "empty lines before it",
		Wire: "\r\n\nGET / HTTP/1.1\r\n\r\n\r\nHEAD / HTTP/1.0\r\n\r\n", Methods: "GET HEAD"},
	{Name: "length",
		Wire:    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
		Methods: "POST GET", Body: "abc"},
	{Name: "length of zero",
		Wire: "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n", Methods: "POST GET"},
	{Name: "chunks",
		Wire:    "POST / HTTP/1.1\r\n" + chunked + "\r\n3;x\r\nabc\r\n0\r\nT: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		Methods: "POST GET", Body: "abc"},
	{Name: "chunks beat a length",
		Wire:    "POST / HTTP/1.1\r\nContent-Length: 1\r\n" + chunked + "\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		Methods: "POST GET", Body: "abc"},
	{Name: "body of a GET", Wire: "GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Methods: "GET", Body: "abc"},
	{Name: "lengths that differ",
		Wire: "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", Broken: true},
	{Name: "a coding without chunks",
		Wire: "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", Broken: true},
	{Name: "no coding, as RFC 2616 said it",
		Wire: "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", Broken: true},
	{Name: "lone LF in a chunk header",
		Wire: "POST / HTTP/1.1\r\n" + chunked + "\r\n3\nabc\r\n0\r\n\r\n", Methods: "POST", Broken: true},
	{Name: "white space before the colon", Wire: "POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", Broken: true},
	{Name: "HTTP/2 without asking", Wire: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Broken: true},
	{Name: "no version", Wire: "GET /\r\n\r\n", Broken: true},
	{Name: "another protocol", Wire: "\x16\x03\x01\x02\x00\n", Broken: true},
	{Name: "upgrade and the other protocol",
		Wire:    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x03abc\n",
		Methods: "GET", Broken: true},
}
