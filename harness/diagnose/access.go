package diagnose

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// An access is one line of nginx's access log in the format of TAXONOMY section
// 3.1:
//
//	$msec $request_id $status $request_time $body_bytes_sent $upstream_addr
//	$upstream_status $upstream_header_time $upstream_response_time
//	$upstream_bytes_received "$request_completion" "$request"
type access struct {
	hit
	id             string
	status         int
	took           time.Duration
	header         time.Duration // until the upstream's head was whole; Never if "-"
	response       time.Duration // until the upstream's end; Never if "-"
	sent, received int64
	completed      bool // the edge thinks that it sent all
}

// parseAccess reads a line; false if it is in another format.
func parseAccess(h hit) (access, bool) {
	head, tail, ok := strings.Cut(h.line.Text, ` "`)
	f := joinLists(strings.Fields(head))
	if !ok || len(f) != 10 {
		return access{}, false
	}
	status, err := strconv.Atoi(f[2])
	if err != nil {
		return access{}, false
	}
	return access{hit: h, id: f[1], status: status, took: secondsOf(f[3]), header: secondsOf(f[7]), response: secondsOf(f[8]),
		sent: number(f[4]), received: number(f[9]), completed: strings.HasPrefix(tail, `OK"`)}, true
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

// secondsOf reads a time as nginx writes it, in seconds with three decimals.
func secondsOf(s string) time.Duration {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return record.Never
	}
	return time.Duration(math.Round(x*1000)) * time.Millisecond
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
