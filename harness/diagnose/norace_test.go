//go:build !race

package diagnose_test

// raceDetector says that the tests run with it.
const raceDetector = false
