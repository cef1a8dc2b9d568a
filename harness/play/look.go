package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/scratch"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
)

// A Look is what an app answered to one request, as it came.
type Look struct {
	URL         string // that answered, behind redirects
	Status      int
	Proto       string
	ContentType string
	Encoding    string // Content-Encoding, which was undone where we know it
	Header      http.Header
	Body        []byte // at most a megabyte
	Pieces      []Piece
	Head        time.Duration // from the request to the response head
	Took        time.Duration // to the end of the body, or to our own
	Cut         error         // why the body broke off, nil for a whole one
	// Ours says that we stopped reading, since the body goes on for longer than we
	// look, or is larger than we keep.
	Ours bool
}

// A Piece is what one read of a body brought.
type Piece struct {
	At   time.Duration // since the request
	Upto int           // the bytes of the body up to its end
}

// Short reports whether an answer came whole, and soon enough to be asked for once more.
func (l *Look) Short() bool {
	return l.Status == http.StatusOK && l.Cut == nil && !l.Ours && l.Took <= lookAgain
}

const lookSize = 1 << 20

// A Looker has an app at hand to be asked, with nothing in front of it. [Looker.Close]
// stops what it started.
type Looker struct {
	o  harness.Options
	at stack.Hop
	st stack.Stack
	in *scratch.Folder
}

// NewLooker starts the app of o.
func NewLooker(ctx context.Context, o harness.Options) (l *Looker, err error) {
	l = &Looker{o: o}
	l.o.Scenarios = []harness.Scenario{{ID: "look"}}
	if _, err := harness.NewPlan(l.o); err != nil { // before anything is started
		return nil, err
	}
	if l.in, err = scratch.Dir("look"); err != nil {
		return nil, err
	}
	begin := time.Now()
	l.st, err = o.Opener.Open(ctx, stack.Spec{App: o.App.Spec(), Edge: stack.Edge{Form: stack.EdgeNone},
		LogDir: l.in.Path, LimitsMemory: stack.LimitsMemory(o.Opener),
		Now: func() time.Duration { return time.Since(begin) }, Notify: func(stack.Event) {}})
	if err != nil {
		l.in.Remove()
		return nil, err
	}
	hops := l.st.Hops()
	if len(hops) == 0 {
		return nil, errors.Join(errors.New("open stack: it has no hop to ask at"), l.Close(ctx))
	}
	l.at = o.App.Entrance(hops[len(hops)-1])
	return l, nil
}

// Close stops the app, where the looker has started it.
func (l *Looker) Close(ctx context.Context) error {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	defer l.in.Remove()
	return l.st.Close(closing)
}

// Look asks for what every stream of s asks for, the given number of times and each time
// for as long as limit at most. The times after the first are left out where the answer is
// an error, broke off or took long.
func (l *Looker) Look(ctx context.Context, s harness.Stream, times int, limit time.Duration) (looks []Look, err error) {
	o := l.o
	o.App.Stream = s
	plan, err := harness.NewPlan(o)
	if err != nil {
		return nil, err
	}
	for n := range times {
		look, err := lookIn(ctx, plan, dialOf(o.Opener), l.at, n, limit)
		if err != nil {
			return looks, err
		}
		if looks = append(looks, look); !look.Short() {
			break
		}
	}
	return looks, nil
}

// lookAgain is how long an answer may take to be asked for once more.
const lookAgain = 10 * time.Second

// lookIn asks once at h. Nothing is asked for that the load would not ask for: no
// compression, where the user names none.
func lookIn(ctx context.Context, plan *harness.Plan, by dial, h stack.Hop, n int, limit time.Duration) (look Look,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v := tap.Values{Nonce: fmt.Sprintf("%032x", load.Hash(fmt.Sprint("look", time.Now().UnixNano(), n))), Seq: uint64(n),
		Turn: firstTurn(plan.Load.Turns())}
	if all := plan.App.Stream.Prompts; len(all) > 0 {
		v.Prompt = all[n%len(all)]
	}
	a := asker{Plan: plan}
	req, err := a.ask(ctx, h.URL+plan.Target(harness.Scenario{}), plan.Body, v)
	if err != nil {
		return look, err
	}
	req.Header.Set(stack.NonceHeader, v.Nonce)
	t := a.dialing(h, by)
	t.DisableCompression = true
	defer t.CloseIdleConnections()
	begin := time.Now()
	resp, err := (&http.Client{Transport: t, CheckRedirect: a.followAsStreams}).Do(req)
	if err != nil {
		return look, fmt.Errorf("ask the app: %w", err)
	}
	defer resp.Body.Close()
	look = Look{URL: resp.Request.URL.String(), Status: resp.StatusCode, Proto: resp.Proto,
		ContentType: resp.Header.Get("Content-Type"),
		Encoding:    resp.Header.Get("Content-Encoding"), Header: resp.Header, Head: time.Since(begin)}
	look.read(resp.Body, begin)
	look.inflate()
	if look.Took = time.Since(begin); look.Cut != nil && ctx.Err() != nil {
		look.Cut, look.Ours = nil, true
	}
	return look, nil
}

// inflate undoes the Content-Encoding, each piece by itself. What cannot be undone
// stays as it was sent.
func (l *Look) inflate() {
	if l.Encoding == "" {
		return
	}
	z, err := tap.NewInflater(strings.ToLower(l.Encoding), lookSize)
	if err != nil {
		return
	}
	defer z.Close()
	var body []byte
	pieces, from := slices.Clone(l.Pieces), 0
	for i := range pieces {
		out, err := z.Push(l.Body[from:pieces[i].Upto])
		if from, body = pieces[i].Upto, append(body, out...); err != nil && i+1 < len(pieces) {
			return
		}
		pieces[i].Upto = len(body)
	}
	if err := z.Finish(); err != nil && l.Cut == nil && !l.Ours { // cut, though the body is whole
		l.Cut = err
	}
	l.Body, l.Pieces = body, pieces
}

// read takes the body as it comes.
func (l *Look) read(body io.Reader, begin time.Time) {
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			l.Body = append(l.Body, buf[:n]...)
			l.Pieces = append(l.Pieces, Piece{time.Since(begin), len(l.Body)})
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			l.Cut = err
			return
		case len(l.Body) >= lookSize:
			l.Ours = true
			return
		}
	}
}
