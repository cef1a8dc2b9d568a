package tap

import (
	"bytes"
	"net/http"
	"regexp"
)

// Who of several servers answered stands in one field or another: X-Served-By,
// X-Backend-Server, X-Pod, a sticky cookie. What they have in common is that the
// value is short and one of a few. So any field of that kind is kept until it has
// had too many values to be a server's name.

// A few is the values that a field has had; nil values are too many.
type few struct{ values map[string]bool }

// Bounds on fields that may name a server.
const (
	maxFewNames  = 64
	maxFewValues = 16
	maxFewBytes  = 64
)

// serverNames are fields without the prefix X- that may name a server.
var serverNames = map[string]bool{"server-timing": true, "served-by": true, "backend": true, "instance": true,
	"pod":      true,
	"hostname": true, "node": true, "set-cookie": true}

var (
	// private are fields that may hold a secret, or name a request: they are never
	// kept.
	private = regexp.MustCompile(`auth|token|secret|key|session|csrf|xsrf|signature|user|email|cookie|request-?id|trace|` +
		`correlation`)
	// sticky are cookies by which a balancer finds the same server again.
	sticky = regexp.MustCompile(`^(?i:serverid|server|srv|route|routeid|backend|node|sticky|lb|ingresscookie|balancerid|` +
		`bigipserver[\w.~-]*)$`)
	// measured are the parts of Server-Timing that differ from response to response.
	measured = regexp.MustCompile(`;\s*dur=[0-9.]+`)
)

// server returns the field's usual name and what is to be kept of its value; false
// for a field that names no server.
func (w *words) server(name, value []byte) (title string, kept []byte, ok bool) {
	switch {
	case string(name) == "set-cookie":
		value, _, _ = bytes.Cut(value, []byte{';'})
		if cookie, _, _ := bytes.Cut(value, []byte{'='}); !sticky.Match(bytes.TrimSpace(cookie)) {
			return "", nil, false
		}
	case string(name) == "server-timing":
		value = measured.ReplaceAll(value, nil)
	case !bytes.HasPrefix(name, []byte("x-")) && !serverNames[string(name)], private.Match(name):
		return "", nil, false
	}
	if len(value) == 0 || len(value) > maxFewBytes || !w.oneOfFew(name, value) {
		return "", nil, false
	}
	return http.CanonicalHeaderKey(string(name)), value, true
}

// oneOfFew counts the values of a field.
func (w *words) oneOfFew(name, value []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.few == nil {
		w.few = map[string]*few{}
	}
	f := w.few[string(name)]
	switch {
	case f == nil && len(w.few) == maxFewNames:
		return false
	case f == nil:
		f = &few{values: map[string]bool{}}
		w.few[string(name)] = f
	case f.values == nil:
		return false
	}
	if !f.values[string(value)] && len(f.values) == maxFewValues {
		f.values = nil
		return false
	}
	f.values[string(value)] = true
	return true
}
