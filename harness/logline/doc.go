// Package logline reads lines of logs in the formats in which servers write them
// by default. It is pure and knows nothing of a run.
//
//  1. [Recognise] says what a file is by its content: an edge's access or error
//     log, the app's, a list of Kubernetes objects, or no log at all.
//  2. [Stamp] finds the time in a line, with its resolution and whether a zone
//     stands beside it.
//  3. [ParseAccess] reads a line about one request, and who ended it: nginx,
//     HAProxy, Envoy, Caddy and the others each in words of their own.
//  4. [Traces] finds the tracebacks of Python, Java, Node, Go, Ruby and PHP.
//  5. [Template] strips a line of what differs from one writing to the next.
package logline
