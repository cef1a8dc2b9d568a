package recognise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Posted is a request in place of the user's.
type Posted struct {
	Status  int // with which the user's own was turned away
	Body    string
	Headers map[string]string // beside the user's
	Source  string            // where the API says it
}

// String says what was sent, and why, in one line.
func (p *Posted) String() string {
	return fmt.Sprintf("GET was answered with %d, so this was sent by POST, which the reference of such an API names "+
		"(%s): %s; change it with --body", p.Status, p.Source, p.Body)
}

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
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}

// postedInstead returns the answers to what the path asks for, where o asked without a body
// and was turned away for it; the same answers where it was not. An answer that turns away
// what was asked in the end is an error.
func postedInstead(ctx context.Context, app *play.Looker, o harness.Options, looks []play.Look, times int,
	limit time.Duration) ([]play.Look, *Posted, error) {
	s := &o.App.Stream
	known, ok := stream.Posted(o.App.Path())
	if !ok || s.Method != "" || s.Body != "" || !slices.Contains(needsBody, looks[0].Status) {
		return looks, nil, refused(&looks[0], &o)
	}
	p := &Posted{Status: looks[0].Status, Source: known.Source, Headers: map[string]string{}}
	for name, value := range known.Headers {
		given := func(h string) bool { return strings.EqualFold(h, name) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(s.Headers)), given) {
			p.Headers[name] = value
		}
	}
	p.Body = known.With(model(ctx, app, o, known))
	own := o
	p.into(&o.App.Stream)
	again, err := app.Look(ctx, o.App.Stream, times, limit)
	if err != nil {
		return nil, nil, unanswered(ctx, &o.App, err)
	}
	if again[0].Status == http.StatusMethodNotAllowed {
		return nil, nil, refused(&looks[0], &own)
	}
	err = refused(&again[0], &o)
	if bad := (*harness.UsageError)(nil); errors.As(err, &bad) && slices.Contains(needsBody, again[0].Status) &&
		(again[0].Status != http.StatusNotFound || diagnose.NamesModel(again[0].Body)) {
		bad.Fix = "correct the body that was sent: --body " + harness.ShellWord(p.Body)
	}
	return again, p, err
}

// listLimit is how long a list of models may take.
const listLimit = 5 * time.Second

// model finds the name of a model that the app serves; the placeholder where it lists none:
// many take any name.
func model(ctx context.Context, app *play.Looker, o harness.Options, r stream.Request) string {
	s := o.App.Stream
	if s.Path = r.ModelsAt(o.App.Path()); s.Path == "" {
		return stream.AnyModel
	}
	looks, err := app.Look(ctx, s, 1, listLimit)
	if err != nil || looks[0].Status != http.StatusOK {
		return stream.AnyModel
	}
	return cmp.Or(stream.ModelIn(looks[0].Body), stream.AnyModel)
}
