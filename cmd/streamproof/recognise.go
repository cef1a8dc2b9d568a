package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/scenarios"
)

// recognise finds out how an app answers where the user does not say. What it took is
// set as if it had been given by flag, so that the line that repeats the run has it.
func (in *input) recognise(ctx context.Context, o harness.Options, told io.Writer) error {
	switch known := o.App.Stream.Dialect != ""; {
	case known && recognise.MayPost(&o.App):
		return in.findBody(ctx, o, told)
	case known || o.App.IsOrigin():
		return nil
	}
	if err := recognise.Valid(o); err != nil {
		return err
	}
	asked, terminal := o, o.App.Stream.Terminal
	if err := readied(ctx, &asked); err != nil {
		return err
	}
	if !in.quiet {
		tell(told, "no --dialect is given: asking "+o.App.String()+" to recognise it")
	}
	f, err := recognise.Fill(ctx, &asked, tellsPosted(told))
	if open := (*recognise.OpenEnd)(nil); errors.As(err, &open) && in.asks(told) {
		f, err = in.askEnd(ctx, told, &asked, open)
	}
	if err != nil {
		return err
	}
	if !in.quiet {
		tell(told, "recognised: "+plain(f.String()))
	}
	if err := in.post(f.Posted); err != nil {
		return err
	}
	in.dialect = config.Dialect(f.Dialect)
	err = in.given.Set("dialect", f.Dialect)
	if taken := asked.App.Stream.Terminal; taken != terminal {
		in.terminal = taken
		err = errors.Join(err, in.given.Set("terminal", taken))
	}
	return err
}

// tellsPosted tells what is sent that the user has not asked for, also where -q is given.
func tellsPosted(told io.Writer) func(*recognise.Posted) {
	return func(p *recognise.Posted) { tell(told, plain(p.String())+"; change it with --body") }
}

// findBody asks once whether the path, which is one of a known API, wants a body, where the
// user says how answers are read and not what to send. Whatever else there is to say of the
// answer to GET, the run will.
func (in *input) findBody(ctx context.Context, o harness.Options, told io.Writer) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := readied(ctx, &o); err != nil {
		return err
	}
	posted, tells := false, tellsPosted(told)
	f, err := recognise.Ask(ctx, o, 1, func(p *recognise.Posted) {
		posted = true
		tells(p)
	})
	if bad := (*harness.UsageError)(nil); errors.As(err, &bad) && !posted {
		return nil
	}
	if err != nil {
		return err
	}
	return in.post(f.Posted)
}

// post takes over a request that was sent in place of the user's.
func (in *input) post(p *recognise.Posted) error {
	if p == nil {
		return nil
	}
	in.body = p.Body
	err := in.given.Set("body", p.Body)
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		h := name + ": " + p.Headers[name]
		in.headers = append(in.headers, h)
		err = errors.Join(err, in.given.Set("header", h))
	}
	return err
}

// lookAt asks an app as its streams will, after the same checks as before a run.
func lookAt(ctx context.Context, o harness.Options, told io.Writer) (*recognise.Finding, error) {
	if err := readied(ctx, &o); err != nil {
		return nil, err
	}
	return recognise.Ask(ctx, o, 2, tellsPosted(told))
}

// readied checks o as before a run, but for the server, and names who starts the app.
func readied(ctx context.Context, o *harness.Options) (err error) {
	if err = usable(ctx, *o); err == nil {
		o.Opener, err = scenarios.Opener(o.App)
	}
	return err
}
