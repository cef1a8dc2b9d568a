package stream

// A Matcher recognises the terminal event of a generic dialect.
type Matcher struct {
	expr string
}

// String returns the expression that the matcher was parsed from.
func (m *Matcher) String() string { return m.expr }
