package verdict

// Sum asks whether every stream that was started has exactly one outcome.
type Sum struct{}

func (Sum) Check(s *Scope) Answer {
	const name = "outcomes sum to the streams started"
	started, sum := 0, 0
	for _, w := range s.Waves {
		started += w.Started
	}
	for _, n := range Count(s.Streams) {
		sum += n
	}
	started = max(started, len(s.Streams)) // a torn record lacks its last waves
	if sum != started {
		return unsure(name, "report this as a bug of streamproof, with the run folder",
			"%d streams started, %d have an outcome: the record lost %d", started, sum, started-sum).obliges()
	}
	return pass(name, "%d streams", sum).obliges()
}
