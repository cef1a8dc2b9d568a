package record

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// A lineClock turns the stamps of log lines into offsets from the run's start.
// It reads what our layers write:
//
//	1764057600.123 …                          nginx access log, $msec first (TAXONOMY 3.1)
//	2026/11/25 07:56:00 [error] …             nginx error log, Go's log; whole seconds, so up to 1 s early
//	[2026-11-25 07:56:00 +0000] [12] [INFO]   gunicorn; whole seconds
//	2026-11-25 07:56:00,123 …                 Python's logging
//	2026-11-25T07:56:00.123456789Z …          RFC 3339: docker and many others
//	{"t":1764057600000000000,…}               our origin: ns; also "time", "ts", "timestamp" with RFC 3339
//
// A stamp without a zone is taken as the run's own zone or as UTC, which
// containers use: whichever puts the first such line nearer to the start of its
// scenario. Then the whole file keeps it.
type lineClock struct {
	start time.Time
	near  time.Duration // about when the log begins
	zone  *time.Location
}

// offset returns the time of a line, or Never if it bears none.
func (c *lineClock) offset(line string) time.Duration {
	t, ok := c.parse(line)
	if !ok {
		return Never
	}
	d := t.Sub(c.start)
	if d < 0 && d > -time.Second {
		return 0 // a stamp in whole seconds, from the first second of the run
	}
	if d < 0 {
		return Never // before the run, and Never is the only negative offset
	}
	return d
}

func (c *lineClock) parse(line string) (t time.Time, ok bool) {
	switch {
	case len(line) < 10:
		return t, false
	case line[0] == '{':
		return parseJSONTime(line)
	case line[0] == '[':
		return parseIn("2006-01-02 15:04:05 -0700", line[1:], time.UTC)
	case line[4] == '/':
		return c.parseLocal("2006/01/02 15:04:05", line)
	case line[4] == '-' && len(line) > 10 && line[10] == ' ':
		return c.parseLocal("2006-01-02 15:04:05", strings.Replace(line, ",", ".", 1))
	case line[4] == '-':
		return parseRFC3339(line)
	}
	return parseUnix(line)
}

// parseIn reads a stamp of the given layout off the front of line, with a
// fraction of seconds where the layout ends in seconds.
func parseIn(layout, line string, zone *time.Location) (time.Time, bool) {
	n := len(layout)
	if len(line) < n {
		return time.Time{}, false
	}
	if strings.HasSuffix(layout, "05") && len(line) > n && line[n] == '.' {
		n++
		for n < len(line) && '0' <= line[n] && line[n] <= '9' {
			n++
		}
	}
	t, err := time.ParseInLocation(layout, line[:n], zone)
	return t, err == nil
}

// parseLocal reads a stamp without a zone.
func (c *lineClock) parseLocal(layout, line string) (time.Time, bool) {
	if c.zone != nil {
		return parseIn(layout, line, c.zone)
	}
	home, ok := parseIn(layout, line, c.start.Location())
	if !ok {
		return home, false
	}
	utc, _ := parseIn(layout, line, time.UTC)
	about := c.start.Add(c.near)
	if c.zone = c.start.Location(); utc.Sub(about).Abs() < home.Sub(about).Abs() {
		c.zone = time.UTC
		return utc, true
	}
	return home, true
}

func parseRFC3339(line string) (time.Time, bool) {
	stamp, _, _ := strings.Cut(line, " ")
	t, err := time.Parse(time.RFC3339Nano, stamp)
	return t, err == nil
}

// parseUnix reads seconds since the epoch with a fraction, as nginx's $msec.
func parseUnix(line string) (time.Time, bool) {
	stamp, _, _ := strings.Cut(line, " ")
	whole, fraction, ok := strings.Cut(stamp, ".")
	if !ok || len(whole) < 9 {
		return time.Time{}, false
	}
	s, err := strconv.ParseInt(whole, 10, 64)
	ms, err2 := strconv.ParseInt(fraction, 10, 64)
	if err != nil || err2 != nil || len(fraction) != 3 {
		return time.Time{}, false
	}
	return time.Unix(s, ms*1e6), true
}

func parseJSONTime(line string) (time.Time, bool) {
	var m struct {
		T                   json.RawMessage
		Time, TS, Timestamp any
	}
	if json.Unmarshal([]byte(line), &m) != nil {
		return time.Time{}, false
	}
	if ns, err := strconv.ParseInt(string(m.T), 10, 64); err == nil {
		return time.Unix(0, ns), true
	}
	for _, v := range []any{m.Time, m.TS, m.Timestamp} {
		switch v := v.(type) {
		case string:
			return parseRFC3339(v)
		case float64: // seconds, as zap and others write
			s, f := math.Modf(v)
			return time.Unix(int64(s), int64(f*1e9)), true
		}
	}
	return time.Time{}, false
}
