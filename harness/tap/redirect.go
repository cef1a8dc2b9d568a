package tap

import (
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Follow says which redirects a stream follows. It does what clients do
// (RFC 9110 section 15.4, and the Fetch standard where that leaves a choice):
//
//	301, 302   POST becomes GET without a body, other methods stay
//	303        everything but HEAD becomes GET without a body
//	307, 308   method and body stay
//
// Credentials stay behind where another host is asked. Cookies that a redirect sets
// are sent on, as by a browser or a Python client; they live as long as the stream.
// Each redirect takes a connection of its own, and the stream's limits run on.
type Follow struct {
	// Own are the "host:port" that lead to the app by other ways than the stream's.
	// A redirect to one of them stays on the stream's way: an app behind a link or an
	// edge may know itself by its own address only.
	Own []string
	// Way says where another URL leads, "host:port", and whether it may be asked; nil
	// allows none. See [Reach].
	Way func(u *url.URL) (dial string, ok bool)
}

// A Reach is where requests may go: to this machine, and to where the user lets them.
type Reach struct {
	Hosts []string // beside loopback, as they are written in URLs or addresses
	// Resolve says where the "host:port" of a URL, in lower case, is connected to instead.
	Resolve map[string]string
}

// Way reports where a request for u is connected to, and whether that may be. What a name
// is resolved to counts: a name that is allowed on one port says nothing about another.
func (r Reach) Way(u *url.URL) (dial string, ok bool) {
	named := func(host string) bool {
		return slices.ContainsFunc(r.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
	}
	dial = Address(u)
	host := u.Hostname()
	if at := r.Resolve[strings.ToLower(dial)]; at != "" {
		dial = at
		if h, _, err := net.SplitHostPort(at); err == nil {
			return dial, loopback(h) || named(h) || named(host)
		}
	}
	return dial, loopback(host) || named(host)
}

// A trail is what a flight keeps to follow a redirect.
type trail struct {
	follow *Follow
	asked  *request // the last one sent
	next   *request // to be sent when the connection is closed
	jar    http.CookieJar
	cookie string   // the Cookie that the caller sends himself
	seen   []string // what was asked for: method and URL
}

func (fo *Follow) begin(req *request) *trail {
	if fo == nil {
		return nil
	}
	return &trail{follow: fo, asked: req}
}

// redirects reports whether a status sends the client to the Location.
func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirected takes note of a redirect and reports whether it will be followed: the
// carrier is to end the connection then, as a client does.
func (f *flight) redirected(h *head) bool {
	if !redirects(h.Status) {
		return false
	}
	r := record.Redirect{At: f.at, Status: h.Status, Location: publicLocation(h.location)}
	switch t := f.trail; {
	case !h.located:
		r.Unfollowed = record.NoLocation
	case t == nil:
		r.Unfollowed = record.FollowingOff
	default:
		t.next, r.Host, r.Unfollowed = t.decide(h, len(f.rec.Redirects))
	}
	f.rec.Redirects = append(f.rec.Redirects, r)
	return r.Unfollowed == record.Followed
}

// publicLocation is a Location as it may be written down.
func publicLocation(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = nil
		s = u.String()
	}
	return strings.ToValidUTF8(s[:min(len(s), http1.MaxValue)], "")
}

// decide says what to ask next, or why nothing.
func (t *trail) decide(h *head, before int) (next *request, host string, _ record.Unfollowed) {
	from := t.asked
	base := from.address()
	to, err := base.Parse(h.location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, "", record.BadLocation
	}
	to.User, to.Fragment = nil, ""
	next = from.redirectedTo(to, h.Status)
	stays := t.stays(base, to)
	if stays {
		next.url.Host, next.host, next.dial = from.url.Host, from.host, from.dial
	} else {
		host = to.Host
		if t.follow.Way == nil {
			return nil, host, record.HostNotAllowed
		}
		dial, ok := t.follow.Way(to)
		if !ok {
			return nil, host, record.HostNotAllowed
		}
		next.dial = dial
		next.header.Del(stack.LaneHeader)
		if !strings.EqualFold(base.Hostname(), to.Hostname()) {
			next.dropCredentials()
			t.cookie = ""
		}
	}
	if before == 0 {
		t.cookie = next.header.Get("Cookie")
	}
	t.keepCookies(base, to, h.cookies, next)
	visit := func(r *request) string { return r.method + " " + r.url.String() }
	t.seen = append(t.seen, visit(from))
	if before >= record.MaxRedirects {
		if slices.Contains(t.seen, visit(next)) {
			return nil, host, record.RedirectLoop
		}
		return nil, host, record.TooManyRedirects
	}
	return next, host, record.Followed
}

// address is the URL that r asked for, as the server knows it.
func (r *request) address() *url.URL {
	u := *r.url
	u.Host = r.host
	return &u
}

// redirectedTo is r as it is sent to u after an answer with status.
func (r *request) redirectedTo(u *url.URL, status int) *request {
	next := &request{method: r.method, url: u, host: u.Host, dial: Address(u), header: r.header.Clone(), body: r.body,
		secure: u.Scheme == "https"}
	switch {
	case status == http.StatusSeeOther && r.method != http.MethodGet && r.method != http.MethodHead,
		(status == http.StatusMovedPermanently || status == http.StatusFound) && r.method == http.MethodPost:
		next.method, next.body = http.MethodGet, nil
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"} {
			next.header.Del(name)
		}
	}
	next.header.Del("Host")
	return next
}

func (r *request) dropCredentials() {
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Www-Authenticate", "Cookie", "Cookie2"} {
		r.header.Del(name)
	}
}

// stays reports whether to leads to where the stream is: the same host, or the same
// app by another of its addresses.
func (t *trail) stays(base, to *url.URL) bool {
	if base.Scheme != to.Scheme {
		return false
	}
	a, b := Address(base), Address(to)
	return strings.EqualFold(a, b) || sameLoopback(b, t.asked.dial) ||
		slices.ContainsFunc(t.follow.Own, func(own string) bool {
			return strings.EqualFold(b, own) || sameLoopback(b, own)
		})
}

// sameLoopback reports whether two "host:port" are one port of this machine.
func sameLoopback(a, b string) bool {
	ha, pa, err := net.SplitHostPort(a)
	hb, pb, err2 := net.SplitHostPort(b)
	return err == nil && err2 == nil && pa == pb && loopback(ha) && loopback(hb)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// keepCookies sends on what redirects have set.
func (t *trail) keepCookies(base, to *url.URL, set []string, next *request) {
	if len(set) > 0 && t.jar == nil {
		t.jar, _ = cookiejar.New(nil) // without options it does not fail
	}
	if t.jar == nil {
		return
	}
	t.jar.SetCookies(base, (&http.Response{Header: http.Header{"Set-Cookie": set}}).Cookies())
	all := t.cookie
	for _, c := range t.jar.Cookies(to) {
		if all != "" {
			all += "; "
		}
		all += c.Name + "=" + c.Value
	}
	if next.header.Del("Cookie"); all != "" {
		next.header.Set("Cookie", all)
	}
}

// goOn sends the request that a redirect asked for, and reports whether there is
// one. A flight that was cut meanwhile ends here: once started is false nobody
// wakes a carrier for it any more.
func (f *flight) goOn() bool {
	t := f.trail
	if t == nil || t.next == nil || f.halt != nil {
		return false
	}
	f.started.Store(false)
	if f.cut.Load() != nil {
		return false
	}
	f.req, t.asked, t.next = t.next, t.next, nil
	f.beginLeg(f.tap.clock.now())
	f.rec.Connect = record.Never
	f.rec.Wire = record.Wire{Where: record.BeforeConnect, Lingered: record.Never}
	f.rearm = true
	if f.req.secure || f.via == f.tap.conns {
		f.via = f.tap.carrierFor(f.req.secure, f.job.HTTP2)
	}
	f.tap.launches.Go(func() { f.via.start(f) }) // ends when the carrier has the stream
	return true
}
