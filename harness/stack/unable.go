package stack

// An Unable says that a stack cannot do what was asked of it. It makes a
// scenario inconclusive; it is neither the app's failure nor the harness's.
type Unable struct {
	What string // "kill a worker"
	Why  string // "we did not start the app"
	// App says that this lies in the app as it was given to us, so that no machine
	// could do it: the scenario does not apply. Settle is what would make it apply.
	App    bool
	Settle string
}

func (e *Unable) Error() string { return "cannot " + e.What + ": " + e.Why }

// NotStarted says that what cannot be done for want of having started the app.
func NotStarted(what string) *Unable {
	return &Unable{What: what, Why: "we did not start the app", App: true,
		Settle: "name a command or an image instead of a URL, so that streamproof starts the app itself"}
}
