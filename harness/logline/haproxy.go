package logline

import (
	"regexp"
	"strconv"
	"strings"
)

// haproxyHTTP is `option httplog`, haproxyTCP `option tcplog`:
//
//	client:port [accept date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes - - sD-- 1/1/1/1/0 0/0 "request"
//	client:port [accept date] frontend backend/server Tw/Tc/Tt bytes SD 1/1/1/1/0 0/0
var (
	haproxyHTTP = regexp.MustCompile(`\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (\S+) (\S+)/(\S+) ` +
		`(-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/(\+?-?\d+) (-?\d+) (\+?\d+) \S+ \S+ ([A-Za-z-]{4}) \d+/\d+/\d+/\d+/\+?\d+ ` +
		`\d+/\d+ (.*)$`)
	haproxyTCP = regexp.MustCompile(`\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (\S+) (\S+)/(\S+) ` +
		`(-?\d+)/(-?\d+)/(\+?-?\d+) (\+?\d+) ([A-Za-z-]{2}) \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+`)
)

func parseHAProxy(line string) (Request, bool) {
	if m := haproxyHTTP.FindStringSubmatch(line); m != nil {
		r := blank()
		r.Begun, r.Flag = true, m[12]
		r.Status, _ = strconv.Atoi(m[10]) // digits, or -1 where no answer was sent
		r.Status = max(r.Status, 0)
		r.Queued, r.Took, r.Header, r.Sent = millis(m[6]), millis(m[9]), millis(m[8]), count(m[11])
		_, request, _ := strings.Cut(m[13], `"`) // behind the captured headers, in which it stands as #22
		r.Path, r.ID = pathOf(strings.Trim(request, `" `)), IDIn(strings.Join(braced.FindAllString(m[13], -1), " "))
		r.Ended, r.Server = haproxyEnding(r.Flag), haproxyServer(m[4])
		return r, true
	}
	if m := haproxyTCP.FindStringSubmatch(line); m != nil {
		r := blank()
		r.Begun, r.Flag, r.Queued, r.Took, r.Sent = true, m[9], millis(m[5]), millis(m[7]), count(m[8])
		r.Ended, r.Server = haproxyEnding(r.Flag), haproxyServer(m[4])
		return r, true
	}
	return Request{}, false
}

// haproxyServer is the name of a server line; "" for <NOSRV> and the like.
func haproxyServer(name string) string {
	if strings.HasPrefix(name, "<") {
		return ""
	}
	return name
}

// braced are captured headers.
var braced = regexp.MustCompile(`\{[^}]*\}`)

// haproxyEnding reads the termination state: who ended the session, and in which
// state it was then (docs.haproxy.org, configuration manual, section 8.5).
func haproxyEnding(flag string) Ending {
	if len(flag) < 2 {
		return NotTold
	}
	who, state := flag[0], flag[1]
	before := state == 'R' || state == 'Q' || state == 'C' || state == 'H'
	switch who {
	case '-':
		return Whole
	case 'C':
		return ClientLeft
	case 'c':
		return ClientSlow
	case 'S':
		switch {
		case state == 'C':
			return NoConnection
		case before:
			return HeadClosed
		}
		return ServerClosed
	case 's':
		switch {
		case state == 'Q':
			return Full
		case state == 'C':
			return ConnectSilent
		case before:
			return HeadSilent
		}
		return ServerSilent
	case 'P':
		if state == 'R' || state == 'T' {
			return Refused
		}
		return BadAnswer
	case 'R':
		return Full
	case 'D', 'U':
		return NoServer
	case 'K':
		return Stopped
	case 'L':
		return Refused
	case 'I':
		return EdgeFault
	}
	return NotTold
}
