// Package harness plays scenarios: it opens a stack, sends streams through it,
// injects a fault at the right moment, and records everything.
//
//  1. [Run] checks all that can be checked, makes the run folder, saves the
//     plan, and plays the scenarios one after the other.
//  2. Each [Scenario] gets a fresh stack, a baseline of streams before any
//     fault, a main wave in which seeded victims and controls travel side by
//     side, and streams that measure recovery (play.go, wave.go).
//  3. The fault waits for its condition (moment.go), strikes, is held, and heals
//     (injection.go), part by part where it is combined; it heals whatever else
//     happens. Victims' clients may hang up, dawdle or come back (client.go).
//  4. Everything is in the record when Run returns. Judging it is somebody
//     else's work.
package harness
