package logline

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Unknown marks a time or a size that a line does not tell.
const Unknown = -1

// An Ending is who ended an exchange, and why, in the words that all edges have
// in common.
type Ending string

// The endings. NotTold is for formats that have no word for it.
const (
	NotTold       Ending = ""
	Whole         Ending = "whole"                     // as far as the edge knows: an edge may be mistaken
	ClientLeft    Ending = "the client hung up"        // HAProxy CD, Envoy DC, 499
	ClientSlow    Ending = "the client took no data"   // HAProxy cD, nginx send_timeout
	ServerSilent  Ending = "read timeout in the body"  // between two reads: HAProxy sD, Envoy SI
	HeadSilent    Ending = "read timeout before heads" // HAProxy sH
	Deadline      Ending = "total timeout"             // of request and response together: Envoy UT, UMSDR
	ServerClosed  Ending = "the app closed in the body"
	HeadClosed    Ending = "the app closed before the head"
	NoConnection  Ending = "no connection to the app" // refused or unreachable
	ConnectSilent Ending = "connect timeout"
	NoServer      Ending = "no server is up"
	Full          Ending = "no capacity left" // queue, connections, circuit breaker
	BadAnswer     Ending = "the app's answer breaks HTTP"
	Stopped       Ending = "the edge stopped or was reloaded"
	Refused       Ending = "the edge refused the request" // denied, no route, rate limit
	EdgeFault     Ending = "an error in the edge itself"
)

// A Request is what one line of a log tells about one request.
type Request struct {
	ID     string // X-Request-ID or the like, where the line has one
	Path   string // path and query
	Server string // which of several servers answered, as the edge calls it; "" if not told
	Status int    // 0 if unknown
	Sent   int64  // bytes to the client, Unknown if not told

	Took     time.Duration // from request to end; Unknown
	Queued   time.Duration // in the edge's own queues, before a server took it; Unknown
	Header   time.Duration // until the app's head was whole; Unknown
	Response time.Duration // until the app's end; Unknown
	Received int64         // bytes from the app; Unknown

	Ended Ending
	Flag  string // the word for it in the log: "sD--", "UT"
	Begun bool   // the line's stamp is of the beginning, not of the end
}

func blank() Request {
	return Request{Sent: Unknown, Took: Unknown, Queued: Unknown, Header: Unknown, Response: Unknown, Received: Unknown}
}

// ParseAccess reads a line about a request as logs of that kind write it; false
// for any other line.
func ParseAccess(k Kind, line string) (Request, bool) {
	if strings.HasPrefix(line, "{") {
		return parseJSON(k, line)
	}
	switch k {
	case HAProxy:
		return parseHAProxy(line)
	case Envoy:
		return parseEnvoy(line)
	case NginxAccess:
		if r, ok := parseOurs(line); ok {
			return r, true
		}
	case NginxError, ApacheError, LighttpdError, Kubernetes, NoLog:
		return Request{}, false
	}
	return parseCommon(k, line)
}

// parseOurs reads the format that our own nginx writes:
//
//	$msec $request_id $status $request_time $body_bytes_sent $upstream_addr
//	$upstream_status $upstream_header_time $upstream_response_time
//	$upstream_bytes_received "$request_completion" "$request"
func parseOurs(line string) (Request, bool) {
	head, tail, ok := strings.Cut(line, ` "`)
	f := joinLists(strings.Fields(head))
	if !ok || len(f) != 10 {
		return Request{}, false
	}
	status, err := strconv.Atoi(f[2])
	if err != nil {
		return Request{}, false
	}
	r := Request{ID: f[1], Server: dashed(f[5]), Status: status, Took: seconds(f[3]), Header: seconds(f[7]),
		Response: seconds(f[8]),
		Sent:     count(f[4]), Received: max(0, count(f[9]))}
	completion, request, _ := strings.Cut(tail, `"`)
	r.Path = pathOf(strings.Trim(request, ` "`))
	if completion == "OK" { // also where the app broke off: the edge cannot tell
		r.Ended = Whole
	}
	return r, true
}

// dashed is s, or "" for the dash that stands for nothing.
func dashed(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// joinLists puts "a:1, b:2" together again: nginx lists all upstreams that it
// tried. The last one counts.
func joinLists(fields []string) []string {
	var out []string
	goOn := false
	for _, f := range fields {
		if goOn {
			out[len(out)-1] = strings.TrimSuffix(f, ",")
		} else {
			out = append(out, strings.TrimSuffix(f, ","))
		}
		goOn = strings.HasSuffix(f, ",")
	}
	return out
}

// seconds reads a time in seconds with a fraction, Unknown for "-".
func seconds(s string) time.Duration {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x < 0 || x > 1e9 || math.IsNaN(x) {
		return Unknown
	}
	return time.Duration(math.Round(x*1e6)) * time.Microsecond
}

// millis reads a whole number of milliseconds, Unknown for "-" and "-1".
func millis(s string) time.Duration {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	if err != nil || n < 0 || n > 1e12 {
		return Unknown
	}
	return time.Duration(n) * time.Millisecond
}

// count reads a number of bytes, Unknown for "-".
func count(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	if err != nil || n < 0 {
		return Unknown
	}
	return n
}

// RequestIn is the path and query in a line of nginx's error log about a request, as the
// client sent it; "" where the line is about none.
func RequestIn(line string) string {
	_, request, ok := strings.Cut(line, `, request: "`)
	if !ok {
		return ""
	}
	request, _, _ = strings.Cut(request, `"`)
	return pathOf(request)
}

// pathOf takes path and query out of "GET /chat?q=1 HTTP/1.1", or of an absolute
// URL in its place.
func pathOf(request string) string {
	f := strings.Fields(request)
	if len(f) < 2 {
		return ""
	}
	p := f[1]
	if _, rest, ok := strings.Cut(p, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return p
}
