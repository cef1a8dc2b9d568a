// Package lint sets the timers of all layers side by side and says, before any
// load, which of them will cut streams. It is pure.
//
//  1. Each known setting of a layer becomes a [Timer], by what it measures: a
//     silence, the whole life of a stream, or the time that a shutdown leaves.
//  2. [Smallest] is the timer that ends a stream first; raising any other one
//     changes nothing.
//  3. [Check] compares the timers with the streams that are expected, or were
//     seen, and with each other.
package lint
