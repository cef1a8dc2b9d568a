// Package diagnose says why streams went bad: cause, layer, evidence, what was
// ruled out, and the fix to paste. It is pure: the same run gives the same
// causes.
//
//  1. A view of one scenario is laid out: its streams with their grades, the
//     lines of its logs sorted by what they mean (lines.go), the deaths that
//     something recorded, what the edge is.
//  2. Streams that broke a promise want an explanation. Rules, one family a
//     file, take turns from the most specific to the least; what a rule explains
//     for certain or as likely is taken off the table, so that a look-alike
//     further down never sees it.
//  3. A rule with client data alone does not guess: it returns a set of possible
//     causes and the command that would settle between them, and leaves the
//     streams on the table.
//  4. What a finding says is facts (kinds.go): its summary, evidence, what was ruled
//     out, candidates, what to do and what to run next. Package reports has a
//     sentence for each; here are none.
//  5. Findings are ranked: certain before likely before possible, and the app's
//     and its stack's own causes before what our faults explain.
//
// All causes stand in one table (causes.go): identifier, layer, what each looks like, and
// its remedies. Package reports renders README.md from it.
package diagnose
