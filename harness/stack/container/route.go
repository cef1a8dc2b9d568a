package container

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/stack/chain"
)

// hostOverride names the machine on which the daemon publishes ports, where it
// is not this one. It is testcontainers' own.
const hostOverride = "TESTCONTAINERS_HOST_OVERRIDE"

// probeLimit bounds the wait for a container that has just started.
const probeLimit = 5 * time.Second

// tryLimit bounds one try.
const tryLimit = time.Second

// A route is the way from us to the containers.
//
// Docker publishes a port on loopback with a relay of its own, docker-proxy,
// which turns a RST into a FIN: measured, and fatal for a tool that has to tell
// them apart. So streams go straight to the container's address where we can
// reach it, as on any Linux host, and to the published port elsewhere. Both are
// always there for the user.
type route struct {
	host   string // where published ports answer; "" if nowhere
	direct bool   // containers' own addresses answer
}

func (r route) String() string {
	switch {
	case r.direct && r.host != "":
		return "container addresses (ports published on " + r.host + ")"
	case r.direct:
		return "container addresses"
	}
	return "ports published on " + r.host + " (docker-proxy shows a RST as a FIN)"
}

// dial is the address to connect to.
func (r route) dial(b *box, port int) string {
	if r.direct {
		return b.inside(port)
	}
	return net.JoinHostPort(r.host, b.published(port))
}

// url is the base for requests, by the published port where there is one.
func (r route) url(b *box, port int) string {
	if r.host == "" {
		return "http://" + b.inside(port)
	}
	return "http://" + net.JoinHostPort(r.host, b.published(port))
}

// findRoute tries to reach path on port of b in every way that we know. The
// probe is a request: docker-proxy accepts connections for anybody.
func findRoute(ctx context.Context, b *box, port int, gateway, path string) (route, error) {
	var r route
	hosts := candidates(gateway)
	addrs := []string{b.inside(port)}
	for _, host := range hosts {
		addrs = append(addrs, net.JoinHostPort(host, b.published(port)))
	}
	errs := tryAll(ctx, addrs, path)
	for end := time.Now().Add(probeLimit); !slices.Contains(errs, nil) && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(pollPause) // it has just started
		errs = tryAll(ctx, addrs, path)
	}
	// Once more: it may have come up between one try and the next.
	errs = tryAll(ctx, addrs, path)
	r.direct = errs[0] == nil
	var tried []string
	for i, err := range errs {
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s (%s)", addrs[i], oneLine(err.Error())))
		} else if i > 0 && r.host == "" {
			r.host = hosts[i-1]
		}
	}
	if !r.direct && r.host == "" {
		return r, fmt.Errorf("reach container %s: tried %s", b.part, strings.Join(tried, ", "))
	}
	return r, nil
}

// tryAll asks at all addresses side by side: one that swallows what it gets must
// not hold up the others.
func tryAll(ctx context.Context, addrs []string, path string) []error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	errs := make([]error, len(addrs))
	var all sync.WaitGroup
	for i, addr := range addrs {
		all.Go(func() { _, errs[i] = chain.Ask(ctx, addr, path) })
	}
	all.Wait()
	return errs
}

// candidates are the hosts that may show published ports. Only a probe tells:
// testcontainers' own guess takes the gateway wherever /.dockerenv exists.
func candidates(gateway string) []string {
	var list []string
	if h := os.Getenv(hostOverride); h != "" {
		list = append(list, h)
	}
	if u, err := url.Parse(os.Getenv("DOCKER_HOST")); err == nil && u.Hostname() != "" {
		list = append(list, u.Hostname())
	}
	list = append(list, "127.0.0.1")
	if gateway != "" {
		list = append(list, gateway)
	}
	return list
}

// awaitAnswer asks until an answer comes or probeLimit is over.
func awaitAnswer(ctx context.Context, addr, path string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	for {
		_, err := chain.Ask(ctx, addr, path)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pollPause):
		}
	}
}
