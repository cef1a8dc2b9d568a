package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
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

// mayPost reports whether the app may have to be asked for what to send.
func mayPost(s config.Start) bool {
	return recognise.MayPost(&harness.App{URL: s.URL, Image: s.Image, Command: strings.Fields(s.Command),
		Stream: harness.Stream{Path: s.Path, Method: s.Method, Body: s.Body}})
}

// asked asks the app once, as the file that s makes at path would, and fills in how
// its answer is read.
func asked(ctx context.Context, s *config.Start, headers []string, path string, told io.Writer) error {
	text, err := config.Template(*s)
	if err != nil {
		return err
	}
	f, err := config.Parse(path, []byte(text))
	if err != nil {
		return err
	}
	o := f.Options()
	o.App.Stream.Dialect = string(s.Dialect) // the file has one where nobody said, to be set
	o.Dir = filepath.Dir(path)
	o.App.Stream.Headers = map[string]string{} // with the values, which the file has not
	for _, h := range headers {
		name, value, err := header(h)
		if err != nil {
			return err
		}
		o.App.Stream.Headers[name] = value
	}
	found, err := lookAt(ctx, o, told)
	if err != nil {
		return err
	}
	if p := found.Posted; p != nil {
		s.Body = p.Body
		for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
			s.Headers = append(s.Headers, config.Header{Name: name, Value: p.Headers[name]})
		}
	}
	return fillIn(found, s)
}

// fillIn fills in what a first file says of the answers.
func fillIn(f *recognise.Finding, s *config.Start) error {
	l := &f.Looks[0]
	switch {
	case l.Status != 200:
		return fmt.Errorf("status %d", l.Status)
	case l.Cut != nil:
		return fmt.Errorf("the answer broke off after %d bytes: %w", len(l.Body), l.Cut)
	}
	if s.Dialect != "" {
		f.Dialect = string(s.Dialect)
	}
	if err := f.Unusable(harness.Stream{}); err != nil {
		return err
	}
	s.Dialect, s.Terminal, s.Asked = config.Dialect(f.Dialect), f.Terminal, true
	return nil
}

// firstLine is an error's first line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
