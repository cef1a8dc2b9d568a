package stream

import "strings"

// A Place is where a value stands in an event: ".seq", ".choices[0].index",
// `["request id"]`, or "id" for the ID of an SSE event. It is made by
// [ParsePlace], never changes, and may be used by many streams at once.
type Place struct {
	expr string
	id   bool
	path []step
}

// ParsePlace parses a path into the data, read as JSON, or the word id. The error is
// an [*ExprError].
func ParsePlace(expr string) (*Place, error) {
	s := strings.TrimSpace(expr)
	if s == "id" {
		return &Place{expr: s, id: true}, nil
	}
	p := &exprParser{s: strings.TrimSpace(strings.TrimPrefix(s, "json "))}
	path, err := p.path()
	if err == nil && p.i < len(p.s) {
		err = p.errorf(p.i, `write .name, [0] or ["any name"], one behind the other`, "unexpected %q", p.s[p.i:])
	}
	if err != nil {
		return nil, err
	}
	return &Place{expr: s, path: path}, nil
}

// String returns the expression that the place was parsed from.
func (p *Place) String() string { return p.expr }

// of returns the value in f without its quotes, nil where there is none. It does
// not allocate.
func (p *Place) of(f *Frame) []byte {
	if p.id {
		if f.OwnID {
			return f.ID
		}
		return nil
	}
	if len(f.Data) == 0 || f.Data[0] != '{' && f.Data[0] != '[' {
		return nil
	}
	raw := find(f.Data, p.path)
	switch {
	case len(raw) >= 2 && raw[0] == '"':
		return raw[1 : len(raw)-1]
	case string(raw) == "null":
		return nil
	}
	return raw
}
