package process

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// A remote is an app that already runs.
type remote struct {
	Base string // the URL without a final slash
	Host string // as the Host header names it
	Addr string // "host:port"
	TLS  bool
}

// parseRemote reads the URL of an app; an empty one gives an empty remote.
func parseRemote(raw string) (remote, error) {
	if raw == "" {
		return remote{}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return remote{}, fmt.Errorf("read URL of the app: %w", err)
	}
	port := u.Port()
	switch {
	case u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return remote{}, fmt.Errorf("read URL of the app: %q is no http or https URL", raw)
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return remote{
		Base: strings.TrimSuffix(u.String(), "/"),
		Host: u.Host,
		Addr: net.JoinHostPort(u.Hostname(), port),
		TLS:  u.Scheme == "https",
	}, nil
}
