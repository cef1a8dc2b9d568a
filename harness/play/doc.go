// Package play runs a [harness.Plan]: it opens a stack, sends streams through it,
// injects a fault at the right moment, and records everything.
//
//  1. [Run] checks all that can be checked, makes the run folder, saves the
//     plan, and plays the scenarios one after the other (run.go).
//  2. Each scenario gets a fresh stack (play.go): a stream alone (solo.go), a
//     baseline before any fault, and a main wave in which seeded victims and
//     controls travel side by side (wave.go).
//  3. The fault waits for its condition (await.go), strikes, is held, and heals
//     (inject.go), part by part where it is combined; it heals whatever else
//     happens. New streams then measure recovery (recover.go). Victims' clients may
//     hang up, dawdle or come back (client.go).
//  4. Everything is in the record when Run returns. Judging it is somebody
//     else's work. Nothing of a stream that has ended stays in memory: a step that
//     needs it, such as the proof of a fault, reads it back (observe.go).
//
// Who does what: a run has the record, the tap and the plan; a [scope] is one scenario
// of it, under whose name things are recorded; a player has the order of things; a
// sender makes waves and sends them, by the draw of who is a victim; an injection takes
// the fault through its life; an asker asks what is no load.
//
//	run ─▶ player ─┬▶ sender ─▶ load ─▶ tap ─▶ record
//	               └▶ injection ─▶ fault ─▶ stack
//
// A scenario in time, where it has a fault:
//
//	open ─ solo ─ baseline ─ main wave ──────────────────────────────────┐ ─ confirm ─ close
//	                         │ armed     condition met                   │
//	                         └───────────── active ─ hold ─ healed ─ recovery
package play
