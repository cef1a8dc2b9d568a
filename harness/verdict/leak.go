package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// accountFlags are the flags that come from the server's account of a stream.
func accountFlags(run *record.Run, l record.Ledger, s *record.Stream) []Flag {
	var flags []Flag
	if s.Limit == record.CancelledByUs && leaked(run, l, s) {
		flags = append(flags, Leaked)
	}
	if l.Starts > 1 {
		flags = append(flags, Doubled)
	}
	return flags
}

// leaked reports whether the server went on for longer than it takes to notice.
// A server learns of a disconnect at the latest when it writes: the first write
// after it is answered by a reset, the second one fails. So three of the
// stream's own silences are granted, and a second at least. A run that was
// interrupted may have asked before that time was over.
func leaked(run *record.Run, l record.Ledger, s *record.Stream) bool {
	grace := max(time.Second, 3*s.ProgressGap)
	stop := l.StopAt
	if stop == record.Never && run.Interrupted && run.Finished != record.Never {
		stop = run.Finished
	}
	return stop == record.Never || stop-l.LeftAt > grace
}
