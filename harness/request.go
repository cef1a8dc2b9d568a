package harness

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// request expands headers and body once, and remembers what to keep secret.
func (r *run) request() error {
	var err error
	if r.secrets, err = r.App.secrets(); err != nil {
		return err
	}
	r.header = http.Header{}
	for k, v := range r.App.Stream.Headers {
		full, err := expand("stream.headers."+k, v)
		if err != nil {
			return err
		}
		r.header.Set(k, full)
	}
	body, err := expand("stream.body", r.App.Stream.Body)
	r.body = []byte(body)
	return err
}

// publicRequest is the request as it may be written down.
func (r *run) publicRequest() record.Request {
	p := record.Request{URL: PublicURL(r.secrets.hide(r.App.base() + r.App.path())), Method: r.App.method(),
		Body: r.secrets.hide(r.App.Stream.Body), Headers: map[string]string{}, Order: r.App.Stream.Order, Owner: r.App.Stream.Owner}
	for k, v := range r.App.Stream.Headers {
		p.Headers[k] = r.secrets.hide(v)
	}
	return p
}

// ask is what a dialect may know about the answer beforehand.
func (r *run) ask() stream.Ask {
	s := r.App.Stream
	return stream.Ask{Order: r.order, Owner: r.owner, Terminal: r.terminal, Failure: r.failure, Sentinel: s.Sentinel, Length: s.Length, SHA256: s.SHA256}
}

// target is the path and query that the streams of a scenario ask for: our own
// origin, and an app that can, is told which shape its answer shall have.
func (r *run) target(sc Scenario) string {
	path := sc.Shape.fill(r.App.path())
	if !r.App.origin() {
		return path
	}
	return path + withQuery(path, sc.Shape.query())
}

// sabotaged is target for a stream that the origin is to break in the named way.
func (r *run) sabotaged(sc Scenario, name string) string {
	q := url.Values{"sabotage": {name}}
	if r.Sabotage.At > 0 {
		q.Set("at", strconv.Itoa(r.Sabotage.At))
	}
	path := r.target(sc)
	return path + withQuery(path, q)
}

// fill puts the shape into a path that asks for it.
func (s Shape) fill(path string) string {
	return strings.NewReplacer("{events}", strconv.Itoa(cmp.Or(s.Events, 20)), "{gap}", cmp.Or(s.Gap, 50*time.Millisecond).String(),
		"{pause}", s.Pause.String(), "{pause_at}", strconv.Itoa(s.PauseAt)).Replace(path)
}

func withQuery(path string, q url.Values) string {
	switch {
	case len(q) == 0:
		return ""
	case strings.Contains(path, "?"):
		return "&" + q.Encode()
	}
	return "?" + q.Encode()
}

func (s Shape) query() url.Values {
	q := url.Values{}
	set := func(name string, given bool, value string) {
		if given {
			q.Set(name, value)
		}
	}
	set("events", s.Events > 0, strconv.Itoa(s.Events))
	set("gap", s.Gap > 0, s.Gap.String())
	set("size", s.Size > 0, strconv.Itoa(s.Size))
	set("pause", s.Pause > 0, s.Pause.String())
	set("pause_at", s.Pause > 0, strconv.Itoa(s.PauseAt))
	set("heartbeat", s.Heartbeat > 0, s.Heartbeat.String())
	return q
}
