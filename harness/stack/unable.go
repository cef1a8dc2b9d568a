package stack

// An Unable says that a stack cannot do what was asked of it. It makes a
// scenario inconclusive; it is neither the app's failure nor the harness's.
type Unable struct {
	What string // "kill a worker"
	Why  string // "we did not start the app"
}

func (e *Unable) Error() string { return "cannot " + e.What + ": " + e.Why }
