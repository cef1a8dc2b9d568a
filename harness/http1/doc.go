// Package http1 follows the framing of HTTP/1.1 messages (RFC 9112) in bytes that
// somebody else reads. The tap and the relay share it, so that both agree on where a
// body begins and ends.
//
//		bytes of a read ──▶ Decoder.Next ──▶ body bytes
//		                      │  start line, fields ──▶ Head ──▶ Fields (the user's own)
//		                      └─ chunk headers, trailers, garbage
//
//	 1. [NewResponse] or [NewRequest] begins a message. A user who wants more of the
//	    header fields than framing needs gives the [Head] a [Fields].
//	 2. [Decoder.Next] takes bytes as they come, however they are split, and returns the
//	    body bytes among them. It keeps no body, changes no byte, and allocates nothing
//	    while a body passes.
//	 3. [Decoder.InBody] says that the head is there and can be looked at;
//	    [Decoder.Whole] that the message is over. The next message of the connection
//	    takes a new Decoder.
//	 4. Bytes that are no HTTP/1.1 make the decoder [Decoder.Broken], for good. It
//	    gathers the start of them for [Decoder.Garbage], and never guesses.
//
// Where a message could be read in two ways, the decoder reads it in one, and the
// table of cases in package http1test says in which: a message whose Content-Lengths
// differ, a chunk header that ends in a lone LF, and a request whose length cannot be
// known are broken; Transfer-Encoding overrides Content-Length.
package http1
