package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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
	plain := p.plainPath()
	if plain == "" {
		p.note(p.sc.ID, record.NoteDoubt, "nothing says how to ask for the answer in one piece",
			"set stream.plain_path or stream.plain_body to what asks the app not to stream")
		return nil
	}
	for i := range comparisons {
		c := p.ask2(ctx, plain, fmt.Sprintf("%032x", hash(fmt.Sprint(p.Seed, "/compare/", i))))
		text, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("record comparison: %w", err)
		}
		p.note(p.sc.ID, record.NoteCompare, string(text), "")
	}
	return nil
}

// plainPath is what asks for the answer in one piece, "" if nobody said.
func (p *player) plainPath() string {
	s := p.App.Stream
	switch {
	case s.PlainPath != "":
		return p.sc.Shape.fill(s.PlainPath)
	case s.PlainBody != "":
		return p.run.target(p.sc)
	case p.App.origin():
		path := p.run.target(p.sc)
		return path + withQuery(path, map[string][]string{"stream": {"false"}})
	}
	return ""
}

// ask2 asks one question in both ways. What went wrong is part of the result.
func (p *player) ask2(ctx context.Context, plain, nonce string) record.Comparison {
	c := record.Comparison{Nonce: nonce, Differ: -1}
	streamed, err := p.text(ctx, p.run.target(p.sc), p.body, nonce)
	if err != nil {
		c.Err = "streamed: " + p.secrets.hide(err.Error())
		return c
	}
	body := p.body
	if p.App.Stream.PlainBody != "" {
		body = []byte(p.App.Stream.PlainBody)
	}
	whole, err := p.text(ctx, plain, body, nonce)
	if err != nil {
		c.Err = "in one piece: " + p.secrets.hide(err.Error())
		return c
	}
	c.Streamed, c.Whole = len(streamed), len(whole)
	if streamed != whole {
		c.Differ = common(streamed, whole)
	}
	return c
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

// text asks for one answer and returns what it says.
func (p *player) text(ctx context.Context, path string, body []byte, nonce string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, p.App.method(), p.front.URL+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header = p.header.Clone()
	req.Header.Set(stack.NonceHeader, nonce)
	t := &http.Transport{DisableKeepAlives: true}
	if p.front.Dial != "" {
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.front.Dial)
		}
	}
	defer t.CloseIdleConnections()
	resp, err := (&http.Client{Transport: t, CheckRedirect: p.followAsStreams}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(io.LimitReader(resp.Body, compareSize))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", resp.Status)
	}
	return p.said(resp.Header.Get("Content-Type"), all), nil
}

// said is the text of an answer of either kind.
func (p *player) said(contentType string, body []byte) string {
	switch {
	case strings.HasPrefix(contentType, "application/json"):
		return saidIn(body)
	case p.dialect.Format.Name == "text", strings.HasPrefix(contentType, "text/plain"):
		return strings.TrimSuffix(string(body), p.App.Stream.Sentinel)
	}
	var s speech
	d := p.dialect.Format.New(stream.Limits{})
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
