package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/scenarios"
)

// askable reports whether s says enough to ask the app: what to start or where it
// runs, and the path. Images are left alone, since they may have to be pulled.
func askable(s config.Start) bool {
	if s.URL != "" {
		u, err := url.Parse(s.URL)
		return err == nil && (s.Path != "" || u.Path != "" && u.Path != "/")
	}
	return s.Command != "" && s.Path != ""
}

// asked asks the app once, as the file that s makes at path would, and fills in how
// its answer is read.
func asked(ctx context.Context, s *config.Start, path string) error {
	text, err := config.Template(*s)
	if err != nil {
		return err
	}
	f, err := config.Parse(path, []byte(text))
	if err != nil {
		return err
	}
	app := f.Options().App
	opener, err := scenarios.Opener(app)
	if err != nil {
		return err
	}
	look, err := play.LookAt(ctx, app, opener)
	if err != nil {
		return err
	}
	return derive(s, look)
}

// derive reads off an answer which dialect it is in. Of the dialects that prove
// the end by themselves the first is taken that finds the answer whole.
func derive(s *config.Start, look play.Look) error {
	switch {
	case look.Status != 200:
		return fmt.Errorf("status %d", look.Status)
	case len(look.Body) == 0:
		return errors.New("the answer is empty")
	case look.Cut != nil:
		return fmt.Errorf("the answer broke off after %d bytes: %w", len(look.Body), look.Cut)
	}
	if s.Dialect == "" {
		for _, name := range []string{"openai-chat", "ollama"} {
			if listen(name, look.Body).State == stream.Complete {
				s.Dialect, s.Asked = config.Dialect(name), true
				return nil
			}
		}
	}
	name := string(s.Dialect)
	if name == "" {
		name = formOf(look)
	}
	if !strings.HasSuffix(name, "-generic") {
		s.Dialect, s.Asked = config.Dialect(name), true
		return nil
	}
	ends := listen(name, look.Body).Ends
	if len(ends) == 0 {
		return errors.New("nothing tells its last event from the others")
	}
	s.Dialect, s.Terminal, s.Asked = config.Dialect(name), ends[0], true
	return nil
}

// formOf is the dialect of an answer that no API's dialect reads.
func formOf(look play.Look) string {
	switch kind := strings.ToLower(look.ContentType); {
	case strings.Contains(kind, "event-stream"):
		return "sse-generic"
	case strings.Contains(kind, "ndjson"), strings.Contains(kind, "jsonl"), linesOfJSON(look.Body):
		return "ndjson-generic"
	}
	return "text"
}

// linesOfJSON reports whether a body is several lines, each a JSON object.
func linesOfJSON(body []byte) bool {
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	for _, l := range lines {
		if l = bytes.TrimSpace(l); len(l) == 0 || l[0] != '{' || !json.Valid(l) {
			return false
		}
	}
	return len(lines) > 1
}

// neverEnds is a terminal expression that no event meets: a generic dialect then
// says what would have told the last event.
const neverEnds = `data == "\u0000 no event is like this"`

// listen reads a whole body in a dialect.
func listen(dialect string, body []byte) stream.Summary {
	d, _ := stream.Lookup(dialect)
	var ask stream.Ask
	if d.NeedsTerminal {
		ask.Terminal, _ = stream.ParseTerminal(neverEnds)
	}
	h := hearer{d.New(ask)}
	dec := d.Format.New(stream.Limits{})
	if dec.Push(body, h) != nil {
		return stream.Summary{}
	}
	return h.Close(dec.Close(h))
}

// A hearer passes frames on to a reader.
type hearer struct{ stream.Reader }

// Frame implements [stream.Sink].
func (h hearer) Frame(f *stream.Frame) { h.Read(f) }

// firstLine is an error's first line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
