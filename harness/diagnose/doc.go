// Package diagnose says why streams went bad. It is pure: the same run gives
// the same causes.
package diagnose
