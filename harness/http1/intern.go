package http1

import "sync"

// Strings interns what many messages share, such as content types, so that a
// message does not pay for a copy of its own. It is bounded; what does not fit is
// simply not shared. The zero value is ready, nil shares nothing, and all its users
// may run at the same time.
type Strings struct {
	mu   sync.Mutex // guards text
	text map[string]string
}

const (
	maxStrings = 1024
	maxString  = 2048 // bytes of one
)

// Intern returns b as a string.
func (s *Strings) Intern(b []byte) string {
	if s == nil {
		return string(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.text[string(b)]; ok {
		return t
	}
	t := string(b)
	if s.text == nil {
		s.text = map[string]string{}
	}
	if len(s.text) < maxStrings && len(t) < maxString {
		s.text[t] = t
	}
	return t
}
