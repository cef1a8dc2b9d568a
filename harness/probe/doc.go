// Package probe asks an edge what it does to a stream that is cut behind it,
// before any load is sent.
//
//  1. A [origin.ProbeServer] stands where the app would. It answers each request as the
//     query asks: with a chunked, a close-delimited or a counted body of a few
//     small events, whole or ended by FIN or RST.
//  2. [Edge] sends all trials through the edge at once and reads them with the
//     tap, as a run reads its streams.
//  3. Each trial gets a fate: the cut was passed on, or it arrives as a whole
//     answer (laundered), or no client can tell (silent), or the edge made
//     something else of it; and whether the events came one by one.
//
// One trial takes about a second: [origin.ProbeEvents] events, [origin.ProbeGap] apart.
package probe
