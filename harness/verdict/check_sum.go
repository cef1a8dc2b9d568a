package verdict

// Sum asks whether every stream that was started has exactly one outcome.
type Sum struct{}

func (Sum) Check(s *Scope) Answer {
	sum := 0
	for _, n := range Count(s.Streams) {
		sum += n
	}
	return s.sumsTo(sum, len(s.Streams))
}

const sumsUp = "outcomes sum to the streams started"

// sumsTo answers for so many outcomes of so many streams.
func (s *Scope) sumsTo(sum, streams int) Answer {
	const name = sumsUp
	started := 0
	for _, w := range s.Waves {
		started += w.Started
	}
	started = max(started, streams) // a torn record lacks its last waves
	if sum != started {
		return unsure(name, next(NextReport), fact{Kind: FactLost, N: sum, Of: started}).obliges()
	}
	return pass(name, fact{Kind: FactSum, N: sum}).obliges()
}
