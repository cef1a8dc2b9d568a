package fleet

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Wave is a [load.Wave] as data, with the rules of its streams in place of functions.
// It may hold secrets, as the requests do.
type Wave struct {
	Scenario string
	Method   string
	Body     []byte
	Header   http.Header
	Streams  int
	Total    int
	Rate     float64
	Duration time.Duration
	Ramp     time.Duration
	Schedule []time.Duration
	Stages   []arrivals.Stage
	Begin    float64
	First    uint64
	Block    uint64
	Deal     load.Deal
	Prompts  []string
	Requests *load.Requests
	Sessions load.Sessions
	Turn     tap.Turn      // of all streams, where there are no sessions
	Policy   record.Policy // by which a session goes on after a whole answer
	Dialect  string
	Spec     []byte // of a dialect of the user's own, in JSON
	Ask      Ask
	Limits   tap.Limits
	Abort    tap.Abort
	Follow   *Follow
}

// Ask is a [stream.Ask] with its expressions as they were written.
type Ask struct {
	Terminal, Failure, Order, Owner string
	Sentinel, SHA256, Reference     string
	Length                          int64
}

// Follow is a [tap.Follow] as data.
type Follow struct {
	Own   []string
	Reach tap.Reach
}

// TLS is how streams to https URLs prove whom they talk to and who they are, with what
// the user's files hold. It holds secrets.
type TLS struct {
	Insecure      bool
	ServerName    string
	CA, Cert, Key []byte // PEM; nil for the system's authorities, and no certificate
}

// DataOf is a wave as data. deal, requests, policy and reach are what its functions are
// made of.
func DataOf(w load.Wave, deal load.Deal, requests *load.Requests, policy record.Policy, reach tap.Reach) (Wave, error) {
	d := Wave{Scenario: w.Scenario, Method: w.Method, Body: w.Body, Header: w.Header, Streams: w.Streams, Total: w.Total,
		Rate: w.Rate, Duration: w.Duration, Ramp: w.Ramp, Schedule: w.Schedule, Stages: w.Stages, Begin: w.Begin,
		First: w.First, Block: w.Block, Deal: deal, Prompts: w.Prompts, Requests: requests, Dialect: w.Dialect.Name,
		Sessions: w.Sessions, Turn: w.Turn,
		Ask: askOf(&w.Ask), Limits: w.Limits, Abort: w.Abort}
	if w.Sessions.Turns > 0 {
		d.Policy = policy
	}
	if w.Follow != nil {
		d.Follow = &Follow{Own: w.Follow.Own, Reach: reach}
	}
	if _, known := stream.Lookup(w.Dialect.Name); known {
		return d, nil
	}
	var err error
	if d.Spec, err = json.Marshal(w.Dialect.Spec); err != nil {
		return d, fmt.Errorf("encode dialect %s: %w", w.Dialect.Name, err)
	}
	return d, nil
}

func askOf(a *stream.Ask) Ask {
	x := Ask{Sentinel: a.Sentinel, SHA256: a.SHA256, Reference: a.Reference, Length: a.Length}
	if a.Terminal != nil {
		x.Terminal = a.Terminal.String()
	}
	if a.Failure != nil {
		x.Failure = a.Failure.String()
	}
	if a.Order != nil {
		x.Order = a.Order.String()
	}
	if a.Owner != nil {
		x.Owner = a.Owner.String()
	}
	return x
}

// Load is the wave that can be driven.
func (d *Wave) Load() (load.Wave, error) {
	w := load.Wave{Scenario: d.Scenario, Method: d.Method, Body: d.Body, Header: d.Header, Streams: d.Streams,
		Total: d.Total, Rate: d.Rate, Duration: d.Duration, Ramp: d.Ramp, Schedule: d.Schedule, Stages: d.Stages,
		Begin: d.Begin, First: d.First, Block: d.Block, Prompts: d.Prompts, Limits: d.Limits, Abort: d.Abort,
		Assign: d.Deal.Target, Sessions: d.Sessions, Turn: d.Turn, Whole: verdict.Completes(d.Policy)}
	dialect, err := d.dialect()
	if err != nil {
		return w, err
	}
	w.Dialect = &dialect
	if d.Requests != nil {
		w.Request = d.Requests.Bodies()
	}
	if d.Follow != nil {
		w.Follow = &tap.Follow{Own: d.Follow.Own, Way: d.Follow.Reach.Way}
	}
	w.Ask, err = d.Ask.stream()
	return w, err
}

func (d *Wave) dialect() (stream.Dialect, error) {
	if d.Spec == nil {
		if known, ok := stream.Lookup(d.Dialect); ok {
			return known, nil
		}
		return stream.Dialect{}, fmt.Errorf("read wave: no dialect %q", d.Dialect)
	}
	var spec stream.Spec
	if err := json.Unmarshal(d.Spec, &spec); err != nil {
		return stream.Dialect{}, fmt.Errorf("read wave: dialect %s: %w", d.Dialect, err)
	}
	return spec.Compile()
}

func (a *Ask) stream() (stream.Ask, error) {
	x := stream.Ask{Sentinel: a.Sentinel, SHA256: a.SHA256, Reference: a.Reference, Length: a.Length}
	var errs [4]error
	if a.Terminal != "" {
		x.Terminal, errs[0] = stream.ParseTerminal(a.Terminal)
	}
	if a.Failure != "" {
		x.Failure, errs[1] = stream.ParseTerminal(a.Failure)
	}
	if a.Order != "" {
		x.Order, errs[2] = stream.ParsePlace(a.Order)
	}
	if a.Owner != "" {
		x.Owner, errs[3] = stream.ParsePlace(a.Owner)
	}
	return x, errors.Join(errs[:]...)
}

// bytes are the wave on the wire.
func (d *Wave) bytes() ([]byte, error) {
	b, err := encode.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode wave: %w", err)
	}
	return b, nil
}

// digest is SHA-256 in hex, of a wave and of which share of it is meant.
func digest(wave []byte, index, of int) string {
	h := sha256.New()
	h.Write(wave)
	fmt.Fprintf(h, "/%d/%d", index, of)
	return hex.EncodeToString(h.Sum(nil))
}

// Config is t for package crypto/tls; nil for nil.
func (t *TLS) Config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{InsecureSkipVerify: t.Insecure, ServerName: t.ServerName}
	if t.CA != nil {
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(t.CA) {
			return nil, errors.New("read certificates of authorities: none in PEM")
		}
	}
	if t.Cert == nil {
		return c, nil
	}
	own, err := tls.X509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("read client certificate: %w", err)
	}
	c.Certificates = []tls.Certificate{own}
	return c, nil
}

// places are what the streams connect to.
func (d *Wave) places() (all []place) {
	for _, t := range d.Deal.Targets {
		p := place{Address: t.Dial}
		if u, err := url.Parse(t.URL); err == nil {
			p.Address = cmp.Or(p.Address, tap.Address(u))
			if u.Scheme == "https" {
				p.Host = u.Hostname()
			}
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Host, b.Host))
	})
	return all
}

// asked is how many streams the wave is meant to start.
func (d *Wave) asked() (int, record.Wave, error) {
	w, err := d.Load()
	if err != nil {
		return 0, record.Wave{}, err
	}
	first := w.Assign(0)
	return load.Asked(w), record.Wave{Scenario: d.Scenario, Group: first.Group, Hop: first.Hop, InBodyAtFault: -1}, nil
}
