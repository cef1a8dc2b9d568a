package container

import (
	"bytes"
	"io"
)

// appLog is the kind of log that the app writes (record.AppLog).
const appLog = "app"

// A stamper writes lines that Docker has stamped:
//
//	2026-11-25T08:23:19.123456789Z ERROR:    Exception in ASGI application
//
// Many an app's own lines bear no time, or one in whole seconds, so that the
// stamp stays. It goes where it would hide a better place: from JSON, whose
// readers parse the whole line. Docker hands out whole lines; a longer one comes
// in parts.
type stamper struct {
	out io.Writer
	on  bool
}

// Write implements [io.Writer].
func (s *stamper) Write(p []byte) (int, error) {
	if !s.on {
		return s.out.Write(p)
	}
	line := p
	if _, rest, ok := bytes.Cut(p, []byte(" ")); ok && bytes.HasPrefix(rest, []byte("{")) {
		line = rest
	}
	_, err := s.out.Write(line)
	return len(p), err
}
