package origin

import (
	"io"
	"log/slog"
	"os"
)

// newLog returns a logger that writes lines of JSON: {"t":ns,"level":"INFO",
// "msg":"start","pid":4711,…}, each with one Write.
func newLog(w io.Writer) *slog.Logger {
	if w == nil {
		return slog.New(slog.DiscardHandler)
	}
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Int64("t", a.Value.Time().UnixNano())
		}
		return a
	}})
	return slog.New(h).With("pid", os.Getpid())
}
