// Package memory is a stack without processes, containers or sockets: the app is an
// http.Handler, and its network lives in this process. Inside a bubble of
// testing/synctest a run of minutes passes in milliseconds, each event at its exact
// time. It is a machine of harness/stack/chain.
//
//		                 ┌ edge ──── main lane ────┐                ┌ upstream[0] ─ app[0]
//		client ─ dial ─▶ ┤                         ├▶ balancer ───▶ ┤
//		                 └ control ─ control lane ─┘                └ upstream[1] ─ app[1]
//
//	 1. [Opener.Open] starts the replicas, a handler of its own for each, and gives
//	    every hop an address under .memory (stack.go).
//	 2. Whoever sends streams connects with [Opener.DialContext]; play does so for a
//	    [stack.Dialer]. A connection ([conn]) keeps what was written until it is read,
//	    and ends in order or by a reset, as TCP does (conn.go).
//	 3. Two goroutines carry each connection through its links, which delay, stall,
//	    swallow, cut and strike (link.go, flow.go).
//	 4. Replicas are killed, frozen, stopped, started, added and removed, and tell it in
//	    the words of the other stacks (replica.go).
//
// The edge is a balancer: it reads the head of a connection's first request, for the
// lane behind it ([stack.LaneHeader]), deals connections to replicas in turn, reports who
// got them in [stack.ReplicaHeader], and answers 502 where there is none. It reads no
// HTTP beyond that, so that what an nginx does to streams is no matter for it. The
// workers of a replica, where the app has several, accept in turn.
package memory
