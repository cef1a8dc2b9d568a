// Package chain is the part of a stack that does not depend on what its parts run
// in.
//
//	client ─▶ edge link ─▶ nginx ─▶ upstream link i ─▶ replica i
//
// A machine (harness/stack/local: processes; harness/stack/dock: containers) starts
// the parts and sees their processes; what the chain makes of that is here.
package chain
