package chain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

const (
	// pollPause lies between two questions whether a part is up, lookPause between
	// two looks whether it has ended meanwhile.
	pollPause = 20 * time.Millisecond
	lookPause = 200 * time.Millisecond
	// askLimit bounds one question to a part.
	askLimit = 2 * time.Second
	// answerLimit bounds what is read of an answer, in bytes.
	answerLimit = 1 << 16
)

// A Part is a running part of a chain: a process with all that it started, or a
// container.
type Part interface {
	// Pid is the number of its first process, in the part's own numbering.
	Pid() int
	// Processes lists the living ones, by the same numbering.
	Processes(ctx context.Context) ([]Process, error)
	// Signal sends a signal to one of them; that one may have gone is an error.
	Signal(ctx context.Context, pid int, sig syscall.Signal) error
	// Ended says why the part has ended; nil while it runs.
	Ended(ctx context.Context) error
	// Tail are the last lines that it wrote.
	Tail(ctx context.Context) []string
}

// A Hinter knows more of why a part is not healthy: where it listens, that its
// memory is full.
type Hinter interface {
	// Hint follows the last error of a probe: "; it listens on 8001". It may be "".
	Hint(ctx context.Context, last error) string
}

// Await waits until probe succeeds, the part ends, or limit is over. Its error is
// that of ctx, or a [*stack.StartError] with the part's last lines.
func Await(ctx context.Context, name string, p Part, limit time.Duration, probe func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// A dial that was begun before says "i/o timeout" then, at times sooner than bounded does.
	end, _ := bounded.Deadline()
	var looked time.Time
	last := errors.New("not yet asked")
	for {
		now := probe(bounded)
		if now != nil && time.Now().Before(end) { // else it says only that time is over
			last = now
		}
		if now == nil || time.Since(looked) > lookPause { // an answer may be that of another program
			looked = time.Now()
			if err := p.Ended(ctx); err != nil {
				return startError(ctx, name, p, err)
			}
		}
		if now == nil {
			return nil
		}
		select {
		case <-bounded.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("start %s: %w", name, ctx.Err())
			}
			hint := ""
			if h, ok := p.(Hinter); ok {
				hint = h.Hint(ctx, last)
			}
			return startError(ctx, name, p, fmt.Errorf("not healthy after %v: %w%s", limit, last, hint))
		case <-time.After(pollPause):
		}
	}
}

func startError(ctx context.Context, name string, p Part, cause error) error {
	tail := p.Tail(ctx)
	for _, line := range tail { // nginx names the file and line of what it cannot read
		if _, emerg, ok := strings.Cut(line, "[emerg] "); ok {
			cause = errors.New(emerg[strings.Index(emerg, ": ")+2:])
			break
		}
	}
	return &stack.StartError{Subject: name, Cause: cause, Tail: tail}
}

// An Answer is what a part said to a question of ours.
type Answer struct {
	Status int
	Header http.Header
	Body   string // its first 64 KiB
}

// Client talks to our own parts: it takes no proxy from the environment, and keeps
// no connection that would hold a part's streams open. It stays with the part: a redirect
// may lead to a host that nobody has allowed us to ask.
var Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
	CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if at := via[0].URL; req.URL.Host != at.Host || req.URL.Scheme != at.Scheme {
			return http.ErrUseLastResponse
		}
		if len(via) >= redirects {
			return fmt.Errorf("stopped after %d redirects", redirects)
		}
		return nil
	}}

// redirects are followed within one question.
const redirects = 10

// Ask asks for a path of an address, "host:port". An answer of any status is one.
func Ask(ctx context.Context, addr, path string) (a Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return a, err
	}
	res, err := Client.Do(req)
	if err != nil {
		return a, errors.Unwrap(err) // drop the URL: the caller names the place
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	return Answer{res.StatusCode, res.Header, string(body)}, err
}

// Probe asks once whether an app is up: by the path that answers 2xx when it is, or
// by its port, which must accept, where path is "".
func Probe(ctx context.Context, addr, path string) error {
	if path == "" {
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err
	}
	path = "/" + strings.TrimPrefix(path, "/")
	a, err := Ask(ctx, addr, path)
	switch {
	case err != nil:
		return err
	case a.Status/100 == 3 && a.Header.Get("Location") != "":
		return fmt.Errorf("GET %s: redirects to %s; name a path that answers 2xx", path, place(a.Header.Get("Location")))
	case a.Status/100 != 2:
		return fmt.Errorf("GET %s: status %d", path, a.Status)
	}
	return nil
}

// place is where a redirect leads, without what may be secret in it.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "no URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
