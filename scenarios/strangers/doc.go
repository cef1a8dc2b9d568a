// Package strangers measures the diagnosis on software that knows nothing of us.
//
//  1. A [Server] is an ordinary app under an ordinary app server, in one of several
//     languages; an [Edge] is a proxy with an ordinary configuration. Nothing
//     stamps an event or adds a header of ours, and logs are as the software writes
//     them when nobody tells it otherwise.
//  2. [Start] runs one [Spec], a server behind an edge, on free ports of loopback in
//     a folder of its own, and waits until it answers. Close ends every process.
//  3. A [Plant] is one cause that is built into a stack, with the names and layers
//     that an expert would accept for it. They are written down before any run is
//     looked at, and are never bent to what the tool says.
//  4. [Draw] makes a matrix out of plants and sound stacks, by a seed.
//  5. [Case.Play] asks the streamproof binary as a user would, by its command line,
//     and reads verdict.json.
//  6. [Score] counts.
package strangers
