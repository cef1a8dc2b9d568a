package tap

import (
	"context"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// tailWait is how long we look for bytes past a Content-Length that came before
// the terminal event.
const tailWait = 200 * time.Millisecond

// limitsOf fills the job's limits up. The streams of a wave share one copy.
func (t *Tap) limitsOf(job *Job) *Limits {
	l := job.Limits.over(t.opts.Limits).over(DefaultLimits)
	if last := t.limits.Load(); last != nil && *last == l {
		return last
	}
	own := l
	t.limits.Store(&own)
	return &own
}

// A deadline is the next of a stream's limits to strike.
type deadline struct {
	at    time.Duration
	limit record.Limit // NoLimit where waiting longer would show nothing more
}

const never = time.Duration(1<<63 - 1)

// or keeps the earlier of d and a limit that strikes after from; a negative
// after is no limit.
func (d *deadline) or(from, after time.Duration, limit record.Limit) {
	if after >= 0 && from+after < d.at {
		d.at, d.limit = from+after, limit
	}
}

// due is when the next limit strikes, as far as is known now. Events move it
// later, never earlier, unless rearm was set: so a carrier may keep an old due
// time and ask again when it is reached, and events cost it nothing.
func (f *flight) due() deadline {
	d := deadline{at: never}
	l, rec := f.limits, &f.rec
	d.or(f.began, l.Total, record.TotalLimit)
	if l.Feed > 0 && rec.Send >= 0 {
		d.or(rec.Send, l.Feed, record.FeedLimit)
	}
	if f.abort.After > 0 && rec.Send >= 0 {
		d.or(rec.Send, f.abort.After, record.CancelledByUs)
	}
	switch {
	case rec.Connect < 0:
		d.or(f.dialed, l.Connect, record.ConnectLimit)
	case rec.Headers < 0:
		d.or(f.stood, l.Headers, record.HeadersLimit)
		if rec.Send >= 0 {
			d.or(f.asked(), l.First, record.FirstLimit)
		}
	case f.tail >= 0:
		d.or(f.tail, tailWait, record.NoLimit)
	case f.linger >= 0:
		d.or(f.linger, l.Linger, record.NoLimit)
	case f.body.dec == nil:
		d.or(max(rec.Headers, f.fed), l.Gap, record.GapLimit)
	default:
		f.dueEvent(&d)
	}
	return d
}

// dueEvent is the limit of a stream that waits for its next event.
//
//	request ── head ── heartbeat ── content ── heartbeat ── heartbeat ── content
//	└─────────── First ───────────┘└───────────── Progress ────────────┘
//	                   └── Gap ───┘└─── Gap ──┘└── Gap ───┘└── Gap ───┘
func (f *flight) dueEvent(d *deadline) {
	rec := &f.rec
	if rec.First < 0 {
		d.or(f.asked(), f.limits.First, record.FirstLimit)
	} else {
		d.or(f.events.progress, f.limits.Progress, record.ProgressLimit)
	}
	if f.fed >= 0 {
		d.or(f.fed, f.limits.Gap, record.GapLimit)
	}
}

// asked is when the first request was sent.
func (f *flight) asked() time.Duration {
	if len(f.rec.Redirects) > 0 {
		return f.rec.Send
	}
	return max(f.rec.Send, f.rec.Connect)
}

// connectContext lives for the connect limit.
func (f *flight) connectContext() (context.Context, context.CancelFunc) {
	if f.limits.Connect < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), f.limits.Connect)
}
