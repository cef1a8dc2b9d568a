package recognise

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Posted is a request in place of the user's.
type Posted struct {
	Status  int // with which the user's own was turned away
	Body    string
	Headers map[string]string // beside the user's
	Source  string            // where the API says it
	Listed  string            // path of the list of models that was asked for before; "" for none

	models []string // that are listed
}

// String says what is sent, and why, in one line.
func (p *Posted) String() string {
	s := fmt.Sprintf("GET was answered with %d, so streamproof posts what the API's reference names (%s): %s",
		p.Status, p.Source, p.Body)
	switch {
	case len(p.models) > 0:
		s += "; the model is one that " + p.Listed + " lists"
	case p.Listed != "" && strings.Contains(p.Body, stream.AnyModel):
		s += "; " + stream.AnyModel + " is a placeholder, since " + p.Listed + " lists no model"
	case p.Listed != "":
		s += "; " + p.Listed + " was asked as well, and lists no model"
	}
	return s
}

// flags are what asks so from the beginning.
func (p *Posted) flags() string { return diagnose.BodyFlags(p.Body, p.Headers) }

// into makes p what every stream asks for.
func (p *Posted) into(s *harness.Stream) {
	if p == nil {
		return
	}
	s.Body = p.Body
	s.Headers = maps.Clone(s.Headers)
	if s.Headers == nil {
		s.Headers = map[string]string{}
	}
	maps.Copy(s.Headers, p.Headers)
}

// needsBody are the answers to a request that should have come with a body: no such
// method here, which some frameworks call not found, or nothing to read.
var needsBody = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusNotImplemented}

// wantsBody reports whether an answer may be to a request that lacks a body.
func wantsBody(l *play.Look) bool {
	allow := l.Header.Get("Allow")
	return slices.Contains(needsBody, l.Status) && (allow == "" || strings.Contains(allow, http.MethodPost))
}

// MayPost reports whether something may be posted in place of the request of a, which has
// neither a method nor a body of the user's.
func MayPost(a *harness.App) bool {
	return !a.IsOrigin() && a.Stream.Method == "" && a.Stream.Body == "" && len(stream.Posted(a.Path())) > 0
}

// A posting asks an app in place of the user, where that was turned away.
type posting struct {
	*Posted
	app   *play.Looker
	own   harness.Options // as the user has it
	o     harness.Options // with what is posted
	first *play.Look      // the answer to own
}

// postedInstead returns the answers to what the path asks for, where o asked without a body
// and was turned away for it; the same answers where it was not. An answer that turns away
// what was asked in the end is an error. told hears of it before it is sent.
func postedInstead(ctx context.Context, app *play.Looker, o harness.Options, looks []play.Look, times int,
	limit time.Duration, told func(*Posted)) ([]play.Look, *Posted, error) {
	if !MayPost(&o.App) || !wantsBody(&looks[0]) {
		return looks, nil, refused(&looks[0], &o)
	}
	x := &posting{app: app, own: o, o: o, first: &looks[0]}
	x.choose(ctx)
	if told != nil {
		told(x.Posted)
	}
	x.into(&x.o.App.Stream)
	again, err := app.Look(ctx, x.o.App.Stream, 1, limit)
	if err != nil {
		return nil, x.Posted, x.unanswered(ctx, err)
	}
	if err := x.refused(&again[0]); err != nil {
		return nil, x.Posted, err
	}
	if l := &again[0]; times > 1 && l.Short() && endsUnknown(l) {
		second, err := app.Look(ctx, x.o.App.Stream, 1, limit)
		if err != nil {
			return nil, x.Posted, unanswered(ctx, &x.o.App, err)
		}
		again = append(again, second...)
	}
	return again, x.Posted, nil
}

// endsUnknown reports whether one answer may not tell what ends them all.
func endsUnknown(l *play.Look) bool {
	g := stream.Identify(l.ContentType, l.Body)[0]
	d := Dialect(g.Dialect)
	return !g.Unknown && (d.NeedsTerminal || d.Format.Name == stream.Text.Name)
}

// listLimit is how long a list of models may take.
const listLimit = 5 * time.Second

// choose finds what to post: of several APIs that have the path, the one that lists models.
func (x *posting) choose(ctx context.Context) {
	path, s := x.own.App.Path(), x.own.App.Stream
	sent := slices.Collect(maps.Keys(s.Headers))
	listed := ""
	for _, r := range stream.Posted(path) {
		p := &Posted{Status: x.first.Status, Source: r.Source, Body: string(r.Body), Headers: r.Beside(sent)}
		x.Posted = p
		if at := r.ModelsAt(path); at != "" {
			listed, _, _ = strings.Cut(at, "?")
			ask := harness.Stream{Path: at, Headers: s.Headers, Dialect: s.Dialect, NoFollow: true} // keys go nowhere else
			p.into(&ask)
			ask.Body = ""
			looks, err := x.app.Look(ctx, ask, 1, listLimit)
			if err == nil && looks[0].Status == http.StatusOK {
				p.models = stream.ModelsIn(looks[0].Body)
			}
		}
		if len(p.models) > 0 {
			p.Body = r.With(p.models[0])
			break
		}
	}
	x.Listed = listed
}

// unanswered is the error where nothing came back.
func (x *posting) unanswered(ctx context.Context, err error) error {
	err = unanswered(ctx, &x.o.App, err)
	if bad, ok := err.(*harness.UsageError); ok {
		bad.Problem = "what was posted in place of GET had no answer: " + bad.Problem
		bad.Fix = "if the model has yet to be loaded, send one request first; or say what to send: " + x.flags()
	}
	return err
}

// refused is the error for an answer that turned away what was posted, in the terms of a
// user who did not write it.
func (x *posting) refused(l *play.Look) error {
	path, _, _ := strings.Cut(x.own.App.Path(), "?")
	problem := fmt.Sprintf("POST %s, with a body that streamproof chose, was answered with %d %s", path, l.Status,
		http.StatusText(l.Status)) + said(l, &x.o.App)
	switch asked, err := url.Parse(l.URL); {
	case l.Status == http.StatusMethodNotAllowed && err == nil && asked.Path != path:
		return &harness.UsageError{Place: "url", Problem: "the server redirects POST " + path + " in a way that makes it GET",
			Fix: "ask there: " + secret.PublicURL(l.URL)}
	case l.Status == http.StatusMethodNotAllowed:
		return refused(x.first, &x.own)
	case l.Status == http.StatusTooManyRequests:
		return &harness.UsageError{Place: "url", Problem: problem, Fix: "wait until the server takes requests again"}
	case l.Status == http.StatusNotFound && !diagnose.NamesModel(l.Body):
		return refused(l, &x.o)
	case l.Status >= 500, slices.Contains(needsBody, l.Status):
		return &harness.UsageError{Place: "body", Problem: problem, Fix: x.edit()}
	}
	return refused(l, &x.o)
}

// edit says how to send another body.
func (x *posting) edit() string {
	switch {
	case strings.Contains(x.Body, `"`+stream.AnyModel+`"`):
		return "put the name of a model in the place of " + stream.AnyModel + ": " + x.flags()
	case len(x.models) > 1:
		return "change it to what your server takes: " + x.flags() + "; it also lists the models " +
			strings.Join(x.models[1:min(len(x.models), 6)], ", ")
	}
	return "change it to what your server takes: " + x.flags()
}
