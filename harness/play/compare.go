package play

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

const (
	comparisons  = 3 // questions that are asked both ways
	compareLimit = time.Minute
	compareSize  = 64 << 20 // bytes of one answer
)

// compare asks for the same answers streamed and in one piece, and records
// whether the texts are the same. It is done beside the load, not with it: the
// tap keeps no text.
func (p *player) compare(ctx context.Context) error {
	if p.sc.Policy.Expect != record.ExpectSameText || ctx.Err() != nil {
		return nil
	}
	plain := p.Plain(p.sc)
	if plain == "" {
		p.note(p.sc.ID, record.NoteDoubt, "nothing says how to ask for the answer in one piece",
			"set stream.plain_path or stream.plain_body to what asks the app not to stream")
		return nil
	}
	for i := range comparisons {
		p.rec.Comparison(p.ask2(ctx, plain, fmt.Sprintf("%032x", hash(fmt.Sprint(p.Seed, "/compare/", i)))))
	}
	return nil
}

// ask2 asks one question in both ways. What went wrong is part of the result.
func (p *player) ask2(ctx context.Context, plain, nonce string) record.Comparison {
	c := record.Comparison{Scenario: p.sc.ID, Nonce: nonce, Differ: -1}
	streamed, err := p.text(ctx, p.front, p.Target(p.sc), p.Body, nonce)
	if err != nil {
		c.StreamedErr = p.Secrets.Hide(err.Error())
	}
	whole, err := p.text(ctx, p.front, plain, p.PlainBody(), nonce)
	if err != nil {
		c.WholeErr = p.Secrets.Hide(err.Error())
	}
	streamed, whole = samePadding(streamed, whole)
	c.Streamed, c.Whole = len(streamed), len(whole)
	c.StreamedSum, c.WholeSum = sum(streamed), sum(whole)
	if streamed != whole {
		c.Differ = common(streamed, whole)
	}
	return c
}

// samePadding takes the white space off the ends of two texts that differ in
// nothing else: a last newline is the handwriting of a framework.
func samePadding(a, b string) (string, string) {
	if x, y := strings.TrimSpace(a), strings.TrimSpace(b); x == y {
		return x, y
	}
	return a, b
}

// sum tells texts apart.
func sum(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

// common is the length of the common prefix.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// text asks for one answer at a hop and returns what it says, as far as it came.
func (p *player) text(ctx context.Context, at stack.Hop, path string, body []byte, nonce string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, p.App.Method(), at.URL+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header = p.Header.Clone()
	req.Header.Del("Accept-Encoding") // the transport asks for what it can read
	req.Header.Set(stack.NonceHeader, nonce)
	t := dialing(at, dialOf(p.Opener))
	defer t.CloseIdleConnections()
	resp, err := (&http.Client{Transport: t, CheckRedirect: p.followAsStreams}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(io.LimitReader(resp.Body, compareSize))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", resp.Status)
	}
	said := p.said(resp.Header.Get("Content-Type"), all)
	if err != nil {
		return said, fmt.Errorf("cut after %d bytes: %w", len(all), err)
	}
	return said, nil
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

// dialing is a transport for one request at h.
func dialing(h stack.Hop, by dial) *http.Transport {
	t := &http.Transport{DisableKeepAlives: true, DialContext: by}
	if h.Dial == "" {
		return t
	}
	if by == nil {
		by = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return by(ctx, network, h.Dial) }
	return t
}

// said is the text of an answer of either kind.
func (p *player) said(contentType string, body []byte) string {
	switch {
	case strings.HasPrefix(contentType, "application/json"):
		return saidIn(body)
	case p.Dialect.Format.Name == "text", strings.HasPrefix(contentType, "text/plain"):
		return strings.TrimSuffix(string(body), p.App.Stream.Sentinel)
	}
	var s speech
	d := p.Dialect.Format.New(stream.Limits{})
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
