//go:build !linux

package relay

// A loop needs epoll. Elsewhere every connection has its goroutines.
type loop struct{}

// A poll is what the loop knows of a connection.
type poll struct{ client int }

func newLoop(*impairment) (*loop, error) { return nil, nil }

func (*loop) run()                     {}
func (*loop) close()                   {}
func (*loop) armed()                   {}
func (*loop) reconsider()              {}
func (*loop) wake(*conn)               {}
func (*loop) admit(*conn) bool         { return false }
func (*backlog) put(int, []byte) error { return nil }
