package logline

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// requestLine is a request as all access logs quote it.
var requestLine = regexp.MustCompile(`"((?:[A-Z]{3,10}|-) [^"]*?(?: HTTP/[0-9.]+)?)"`)

// method is what a quoted request begins with.
var method = regexp.MustCompile(`^(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|TRACE|QUERY) \S`)

// status stands behind the request in all common formats.
var status = regexp.MustCompile(`^ (\d{3})(?: |$)`)

// parseCommon reads the common and combined formats, and those that add to them:
//
//	host ident user [time] "request" status bytes "referer" "agent" …
//
// What follows may be anything; a number with a decimal point there is the
// request's time in seconds, as nginx ($request_time) and gunicorn (%(L)s) write
// it, one that ends in "ms" is in milliseconds, as Traefik does.
func parseCommon(k Kind, line string) (Request, bool) {
	m := requestLine.FindStringSubmatchIndex(line)
	if m == nil || !method.MatchString(line[m[2]:m[3]]) {
		return Request{}, false
	}
	tail := line[m[1]:]
	st := status.FindStringSubmatch(tail)
	if st == nil {
		return Request{}, false
	}
	r := blank()
	r.Path = pathOf(line[m[2]:m[3]])
	r.Status, _ = strconv.Atoi(st[1]) // three digits
	rest := strings.TrimSpace(tail[4:])
	if f := strings.Fields(rest); len(f) > 0 {
		r.Sent = count(f[0])
		if f[0] == "-" {
			r.Sent = 0 // CLF writes "-" for no bytes
		}
	}
	r.extras(k, rest)
	r.Begun = k == ApacheAccess || k == Varnish || k == Traefik
	if r.Status == 499 || r.Status == 460 { // nginx, Traefik; AWS
		r.Ended = ClientLeft
	}
	return r, true
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	fraction = regexp.MustCompile(`(?:^|[\s=])(\d{1,5}\.\d{3,6})(?:$|[\s,;])`)
	inMillis = regexp.MustCompile(`(?:^|\s)(\d+(?:\.\d+)?)ms(?:$|\s)`)
	someID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{16,64}\b|` +
		`\bnonce-\d+\b`)
	requestID = regexp.MustCompile(`(?i)\b(?:x[-_])?(?:request|correlation|` +
		`trace)[-_]?id["']?\s*[=:]\s*["'\[]*([A-Za-z0-9_.:-]{4,80})`)
)

// extras reads what stands behind the bytes: times and IDs.
func (r *Request) extras(k Kind, rest string) {
	bare := quoted.ReplaceAllString(rest, " ")
	if m := inMillis.FindStringSubmatch(bare); m != nil {
		if x, err := strconv.ParseFloat(m[1], 64); err == nil {
			r.Took = time.Duration(x * float64(time.Millisecond))
		}
	} else if all := fraction.FindAllStringSubmatch(bare, -1); len(all) > 0 && k != ApacheAccess {
		// The longest is the whole; others are its parts.
		for _, m := range all {
			r.Took = max(r.Took, seconds(m[1]))
		}
	}
	r.ID = IDIn(rest)
}

// IDIn finds a request ID in a text: one that is called so, else what looks like
// one.
func IDIn(text string) string {
	if m := requestID.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return someID.FindString(text)
}
