// Package chain is what stands between clients and the app, and what can be done to
// it, whatever its parts run in.
//
//	client ─▶ edge link ─▶ nginx ─▶ upstream link i ─▶ app[i]
//
//	 1. A machine's opener prepares the spec ([Prepare]) and puts itself into a [Chain]
//	    as its [Machine]. harness/stack/process runs processes, harness/stack/container
//	    containers, harness/stack/memory handlers in a network of its own.
//	 2. It opens the replicas ([Machine.Open]): each is an [App] with a [Link] before
//	    it, and part of the chain when it answers ([Await], [Probe]).
//	 3. nginx gets a configuration that names both lanes of every link. [Nginx] renders
//	    each generation and waits until no worker of the one before takes connections.
//	 4. A [Watch] looks into each replica and tells of workers that come and go, of
//	    threads and of counters, in one vocabulary (harness/record). Roles are found in
//	    the tree of processes ([Assign]).
//	 5. What can be done to the chain is the [Chain]'s: it finds the replica, asks its
//	    [App], leads the edge elsewhere, and tells it.
//
// harness/stack/chain/chaintest is the table of tests that all machines pass.
package chain
