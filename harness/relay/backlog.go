package relay

// A backlog is the state of one way of a connection that its two carriers hand
// each other.
type backlog struct {
	rest []byte // read, and not yet written: nothing is read before it is
	shut bool   // the way has ended
}

// take empties the backlog.
func (b *backlog) take() []byte {
	rest := b.rest
	b.rest = nil
	return rest
}
