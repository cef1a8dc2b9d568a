package logline

import (
	"regexp"
	"strconv"
	"strings"
)

// envoyText is Envoy's default format:
//
//	[start] "GET /chat HTTP/1.1" 200 UT 5 1042 15001 3 "-" "curl" "id" "host" "127.0.0.1:9000"
//
// with bytes received and sent, duration and the upstream's time. Istio puts
// further fields behind the flags, of which one is quoted.
var envoyText = regexp.MustCompile(`^\[(\S+)\] "([^"]*)" (\d{1,3}) (-|[A-Z][A-Z_]*(?:,[A-Z][A-Z_]*)*) (?:(\S+) (\S+) ` +
	`(?:"[^"]*"|\S+) )?(\d+) (\d+) (\d+) (\d+|-)(?: |$)(.*)$`)

func parseEnvoy(line string) (Request, bool) {
	m := envoyText.FindStringSubmatch(line)
	if m == nil {
		return Request{}, false
	}
	r := blank()
	r.Begun, r.Path = true, pathOf(m[2])
	r.Status, _ = strconv.Atoi(m[3]) // digits
	r.Sent, r.Took = count(m[8]), millis(m[9])
	if d := millis(m[10]); d >= 0 {
		r.Header = d
	}
	if q := quoted.FindAllString(m[11], 4); len(q) >= 3 {
		r.ID = strings.Trim(q[2], `"`)
	}
	r.setEnvoyFlags(m[4])
	return r, true
}

// envoyEndings are Envoy's response flags, short and long, the more telling
// first: a line may bear several (envoyproxy.io, access logging, RESPONSE_FLAGS).
var envoyEndings = []struct {
	short, long string
	ended       Ending
}{
	{"UT", "UpstreamRequestTimeout", Deadline},
	{"UMSDR", "UpstreamMaxStreamDurationReached", Deadline},
	{"SI", "StreamIdleTimeout", ServerSilent},
	{"DT", "DurationTimeout", Deadline},
	{"UC", "UpstreamConnectionTermination", ServerClosed},
	{"UR", "UpstreamRemoteReset", ServerClosed},
	{"UF", "UpstreamConnectionFailure", NoConnection},
	{"UPE", "UpstreamProtocolError", BadAnswer},
	{"UH", "NoHealthyUpstream", NoServer},
	{"UO", "UpstreamOverflow", Full},
	{"OM", "OverloadManagerTerminated", Full},
	{"LH", "FailedLocalHealthCheck", NoServer},
	{"NR", "NoRouteFound", Refused},
	{"NC", "NoClusterFound", Refused},
	{"RL", "RateLimited", Refused},
	{"UAEX", "UnauthorizedExternalService", Refused},
	{"DPE", "DownstreamProtocolError", Refused},
	{"DF", "DnsResolutionFailed", NoConnection},
	{"LR", "LocalReset", Stopped},
	{"DR", "DownstreamRemoteReset", ClientLeft},
	{"DC", "DownstreamConnectionTermination", ClientLeft},
}

func (r *Request) setEnvoyFlags(flags string) {
	r.Flag = flags
	if flags == "-" || flags == "" {
		r.Flag, r.Ended = "-", Whole
		return
	}
	set := strings.Split(flags, ",")
	for _, e := range envoyEndings {
		for _, f := range set {
			if f == e.short || f == e.long {
				r.Ended = e.ended
				r.beforeHead()
				return
			}
		}
	}
}

// beforeHead tells apart endings that Envoy writes alike before and after the
// head: without a head it answers itself.
func (r *Request) beforeHead() {
	switch {
	case r.Ended == ServerClosed && r.Status >= 500:
		r.Ended = HeadClosed
	case (r.Ended == Deadline || r.Ended == ServerSilent) && (r.Status == 504 || r.Status == 408):
		r.Ended = HeadSilent
	}
}
