// Package harnesstest is a server that misbehaves on purpose, byte by byte, with
// the record that each misbehaviour must leave. It is the one raw server of our tests:
// those of the tap and the relay use it, too. What a program may run is package origin.
//
//  1. A [Script] is a list of steps that one connection goes through once its
//     request was read: say these bytes, wait, end in order, reset, hang.
//  2. [Serve] runs a script for every connection, [ServeEach] one for each request;
//     both leave nothing behind.
//  3. [Endings] crosses every place at which a response can stop with every way
//     in which it can stop there; [Hostile] lists peers that want our memory.
//     Each [Case] says what the client's record must hold.
//  4. [InMemory] is for what is about time and order alone: a run on a stack in
//     memory, under a clock of its own.
//
// The bodies are SSE whose terminal event is [Done]; read them with the dialect
// sse-generic and the terminal expression [Terminal].
package harnesstest
