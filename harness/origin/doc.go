// Package origin is a streaming server whose every byte is known beforehand. It
// stands in for the user's app where none is named, and it breaks its streams on
// demand: what we prove our own verdicts with.
//
//  1. A request becomes an [Answer]: how many events, how far apart, in which
//     format, and broken how. Flags of the command line are the defaults, query
//     parameters of the same names override them.
//
//  2. A stream takes over its connection from net/http and writes the response
//     itself, so that an honest answer and one cut inside a chunk header take
//     the same road.
//
//  3. Each event is built whole while the stream waits for its turn. When the
//     time has come only the stamp is filled in, and the packet is written:
//
//     "5e" CRLF id: 7 LF data: {"seq":7,"t":##########,…} LF LF CRLF → write(2)
//     ↑ chunk, or nothing        the stamp ↑
//
//  4. A [Sabotage] replaces one step of that road: the head, the event K, or the
//     end.
//
//  5. The ledger holds the server's own account of every stream. It lives in
//     memory that the worker processes share, so it outlives each of them.
//
//  6. With several workers a master owns the listening socket, starts a copy of
//     itself for each worker, and replaces one that dies.
//
// Everything that happens is a line of JSON: "t" in ns since the Unix epoch,
// "level", "msg", "pid", and what belongs to the message. The messages of a
// stream carry its "nonce": start, done, client gone, error (with "stack").
// Those of the process are listening, draining, drained, and of the master
// "worker pid N started" and "worker pid N died: signal: killed".
package origin
