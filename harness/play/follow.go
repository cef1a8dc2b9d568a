package play

import (
	"net"
	"net/url"
	"slices"

	"github.com/streamproof/streamproof/harness/tap"
)

// follow says which redirects the streams of a scenario follow: to wherever load
// may go. One to another address of the same app stays on the stream's way, so that
// an app that redirects to where it itself listens is still asked through the hop
// that the stream was sent to.
func (s *sender) follow() *tap.Follow {
	if s.App.Stream.NoFollow {
		return nil
	}
	f := &tap.Follow{Way: s.Reach().Way}
	for _, h := range s.hops() {
		f.Own = append(f.Own, h.Dial, h.DialControl, authority(h.URL), authority(h.Control),
			h.DialInside, authority(h.Inside))
	}
	f.Own = append(f.Own, authority(s.App.URL), authority(s.App.Direct))
	slices.Sort(f.Own)
	f.Own = slices.DeleteFunc(slices.Compact(f.Own), func(s string) bool { return s == "" })
	return f
}

// authority is the "host:port" of a URL, "" for none.
func authority(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[u.Scheme == "https"]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
