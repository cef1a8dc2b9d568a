package play

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// An asker asks an app beside the load, where what it says matters and not when: the
// tap keeps no text.
type asker struct {
	*harness.Plan
	limit time.Duration // of one answer; compareLimit if it is shorter
}

// text asks for one answer at a hop and returns what it says, as far as it came.
func (a asker) text(ctx context.Context, at stack.Hop, path string, body []byte, nonce string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, max(compareLimit, a.limit))
	defer cancel()
	v := tap.Values{Nonce: nonce, Turn: firstTurn(a.Load.Turns())}
	if all := a.App.Stream.Prompts; len(all) > 0 {
		v.Prompt = all[0]
	}
	req, err := a.ask(ctx, at.URL+path, body, v)
	if err != nil {
		return "", err
	}
	req.Header.Del("Accept-Encoding") // the transport asks for what it can read
	req.Header.Set(stack.NonceHeader, nonce)
	t := a.dialing(at, dialOf(a.Opener))
	defer t.CloseIdleConnections()
	resp, err := (&http.Client{Transport: t, CheckRedirect: a.followAsStreams}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(io.LimitReader(resp.Body, compareSize))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", resp.Status)
	}
	said := a.said(resp.Header.Get("Content-Type"), all)
	if err != nil {
		return said, fmt.Errorf("cut after %d bytes: %w", len(all), err)
	}
	return said, nil
}

// ask makes a request like those of the streams.
func (a asker) ask(ctx context.Context, to string, body []byte, v tap.Values) (*http.Request, error) {
	body = v.Body(body, tap.IsJSON(a.Header.Get("Content-Type")))
	req, err := http.NewRequestWithContext(ctx, a.App.Method(), v.URL(to), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = a.Header.Clone()
	for _, vs := range req.Header {
		for i := range vs {
			vs[i] = v.Field(vs[i])
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	return req, nil
}

// A dial connects to an address of a stack.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialOf is how the stacks of an opener are reached; nil is over the network.
func dialOf(o stack.Opener) dial {
	if d, ok := o.(stack.Dialer); ok {
		return d.DialContext
	}
	return nil
}

// dialing is a transport for one request at h, and for where it is redirected to.
func (a asker) dialing(h stack.Hop, by dial) *http.Transport {
	if by == nil {
		by = new(net.Dialer).DialContext
	}
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: a.TLS.Clone(), ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return by(ctx, network, cmp.Or(h.Dial, a.App.Resolve[strings.ToLower(address)], address))
		}}
}

// said is the text of an answer of either kind.
func (a asker) said(contentType string, body []byte) string {
	switch {
	case strings.HasPrefix(contentType, "application/json"):
		return saidIn(body)
	case a.Dialect.Format.Name == "text", strings.HasPrefix(contentType, "text/plain"):
		return strings.TrimSuffix(string(body), a.App.Stream.Sentinel)
	}
	var s speech
	d := a.Dialect.Format.New(stream.Limits{})
	if d.Push(body, &s) == nil {
		d.Close(&s)
	}
	return s.String()
}

// A speech joins what the frames of an answer say.
type speech struct{ strings.Builder }

// Frame implements [stream.Sink].
func (s *speech) Frame(f *stream.Frame) {
	if !f.Comment {
		s.WriteString(saidIn(f.Data))
	}
}

// saidIn finds the text in one JSON object of the APIs that our dialects read:
// choices[].delta.content, choices[].message.content, message.content, response,
// text.
func saidIn(data []byte) string {
	type message struct{ Content string }
	var v struct {
		Choices []struct {
			Delta, Message message
			Text           string
		}
		Message        message
		Response, Text string
	}
	if json.Unmarshal(data, &v) != nil {
		return ""
	}
	text := v.Message.Content + v.Response + v.Text
	for _, c := range v.Choices {
		text += c.Delta.Content + c.Message.Content + c.Text
	}
	return text
}

// An answer is what one request got.
type answer struct {
	text string
	err  error
}

// answers asks n times at once at a hop, about a topic that makes the nonces.
func (a asker) answers(ctx context.Context, at stack.Hop, topic, path string, body []byte, n int) []answer {
	all := make([]answer, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { // ends with its request, which has a limit
			nonce := fmt.Sprintf("%032x", load.Hash(fmt.Sprint(a.Seed, "/reference/", topic, path, i)))
			all[i].text, all[i].err = a.text(ctx, at, path, body, nonce)
		})
	}
	wg.Wait()
	return all
}

// referable reports whether answers are text that declares no end.
func (a asker) referable() bool {
	s := a.App.Stream
	return a.Dialect.Format.Name == "text" && s.Sentinel == "" && s.Length == 0 && s.SHA256 == "" &&
		s.Endless == harness.Endless{}
}

// errUnknown is the answer about a stream that the app does not know.
var errUnknown = errors.New("stream unknown")

// getJSON asks for a small document of JSON.
func (a asker) getJSON(ctx context.Context, from string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	t := a.dialing(stack.Hop{}, dialOf(a.Opener))
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return errUnknown
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", from, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// followAsStreams is the rule for requests that we send beside the load.
func (a asker) followAsStreams(r *http.Request, via []*http.Request) error {
	if a.App.Stream.NoFollow || len(via) > record.MaxRedirects {
		return http.ErrUseLastResponse
	}
	if _, ok := a.Reach().Way(r.URL); !ok {
		return http.ErrUseLastResponse
	}
	return nil
}
