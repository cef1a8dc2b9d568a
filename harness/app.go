package harness

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// An App is the system under test and how to ask it for a stream. With none of
// Image, Build, Compose, Command and URL set it is our own origin.
type App struct {
	Image   string        `yaml:"image"`                   // a container image
	Build   string        `yaml:"build" value:"path"`      // a folder with a Dockerfile
	Compose stack.Compose `yaml:",inline"`                 // a service of a compose file
	Command []string      `yaml:"command" value:"command"` // a program; its port is in $PORT and replaces {port}
	URL     string        `yaml:"url"`                     // a server that already runs
	// Kubernetes is a workload that runs in a cluster.
	Kubernetes stack.Kubernetes `yaml:"kubernetes"`

	// Stack is "local" or "docker"; "" takes what the app needs.
	Stack string

	// Direct is where the app itself listens, behind an edge of the user's own at
	// URL: the base of a URL. It lets that edge be peeled off.
	Direct string `yaml:"direct"`
	TLS    TLS    // of an https URL
	// Resolve says which address to connect to for a "host:port" of URL or Direct.
	Resolve map[string]string

	Port     int           `yaml:"port" value:"port"` // where it listens
	Health   string        `yaml:"health"`            // path that answers 2xx when ready; "" waits for the port
	Start    time.Duration `yaml:"start"`             // how long it may take to become healthy; 0 means 30 s
	Grace    time.Duration `yaml:"grace"`             // between SIGTERM and SIGKILL; 0 means 10 s
	Env      []string      `yaml:"env" value:"env"`   // NAME=value
	Dir      string        `yaml:"dir" value:"path"`  // working directory of a command
	Replicas int           `yaml:"replicas"`          // 0 means 1
	Workers  int           `yaml:"workers"`           // of the origin; 0 means 1
	Args     []string      // further flags of the origin
	Memory   int64         `yaml:"memory" value:"size"` // bytes; 0 for no limit
	CPUs     float64       `yaml:"cpus"`                // 0 for no limit
	Pids     int64         `yaml:"pids"`                // processes and threads; 0 for no limit
	Shm      int64         `yaml:"shm" value:"size"`    // bytes of /dev/shm; 0 means Docker's own 64 MiB
	Edge     stack.Edge    // overrides the scenarios' own edge where it is set
	Logs     []LogFile     // logs that we read beside those of the stack
	// Ledger is the path of the app's own account of a stream, with {nonce} for
	// the stream's X-Request-ID. It answers 404, or JSON as our origin does: how
	// many events were produced, whether that stopped and when. "" for none; our
	// origin keeps one.
	Ledger string `yaml:"ledger"`

	Stream Stream
}

// A LogFile is a log of the user's, of which we read what it gains during a
// scenario.
type LogFile struct {
	// Kind is one of logline.Kinds, or the name of the software that writes it; ""
	// or "auto" leaves it to the content.
	Kind string
	Path string
}

// A Stream is the request that every stream sends, and how its answer is read.
type Stream struct {
	// Path is path and query; for a URL app it replaces the URL's path unless
	// empty. An app that can answer in the shape that a scenario asks for says so
	// with {events}, {gap}, {pause} and {pause_at}: "/chat?n={events}".
	Path    string            `yaml:"path"`
	Method  string            `yaml:"method"`  // "" means GET, or POST where there is a body
	Headers map[string]string `yaml:"headers"` // values may name environment variables as ${NAME}
	Body    string            `yaml:"body"`    // may name environment variables
	// Prompts are dealt out to the streams in turn, where {prompt} stands in path,
	// headers or body. {nonce} and {seq} stand for the stream's own nonce and number.
	Prompts []string
	Dialect string `yaml:"dialect" value:"dialect"` // "" means origin for the origin, sse-generic for others
	// Spec is the dialect as data, where it is the user's own and has that name.
	Spec *stream.Spec
	// Terminal is the terminal expression of a generic dialect; openai-chat takes
	// one where a server sends no [DONE]. Error is the expression for events that
	// say that the answer failed, in any dialect of events.
	Terminal string `yaml:"terminal"`
	Error    string `yaml:"error"`
	// Endless is for a feed: each stream is read for a time and judged by what came.
	Endless Endless `yaml:"endless"`
	// Sentinel, Length and SHA256 declare how a text answer proves itself.
	Sentinel string `yaml:"sentinel"`
	Length   int64  `yaml:"length" value:"size"`
	SHA256   string `yaml:"sha256"`
	// PlainPath and PlainBody are what asks for the same answer in one piece; an
	// empty one is Path or Body. With both empty the answer comes streamed only.
	PlainPath string `yaml:"plain_path"`
	PlainBody string `yaml:"plain_body"`
	// Order is where an event bears its number and Owner where it echoes the
	// stream's nonce, which is sent as X-Request-ID and wherever {nonce} stands in
	// path, headers or body: ".seq", ".choices[0].index", or id for that of SSE. See
	// [stream.ParsePlace].
	Order string `yaml:"order"`
	Owner string `yaml:"owner"`
	// NoFollow takes a redirect for the answer.
	NoFollow bool `yaml:"no_follow"`
	// Longest is how long the longest stream lasts and Silence the longest time
	// without a byte, where the user knows: layers whose timers are shorter are
	// named before any load. 0 for unknown.
	Longest time.Duration `yaml:"longest"`
	Silence time.Duration `yaml:"silence"`
}

// An Endless says how to read an answer that has no end: for how long, and at
// least how many events must come in that time. Zero is an answer with an end.
type Endless struct {
	For    time.Duration `yaml:"for"`
	Events int           `yaml:"events"`
}

// IsOrigin reports whether a is our own server.
func (a *App) IsOrigin() bool {
	return a.Image == "" && a.Build == "" && a.Compose == (stack.Compose{}) && len(a.Command) == 0 && a.URL == "" &&
		!a.InCluster()
}

// InCluster reports whether a is a workload of Kubernetes.
func (a *App) InCluster() bool { return a.Kubernetes != (stack.Kubernetes{}) }

// String names the app for the report. It shows no header, body or
// environment.
func (a *App) String() string { return a.named().String() }

// named is the app as the record names it.
func (a *App) named() record.App {
	switch {
	case a.Image != "":
		return record.App{Kind: record.AppImage, Name: a.Image}
	case a.Build != "":
		return record.App{Kind: record.AppBuild, Name: a.Build}
	case a.Compose.File != "":
		return record.App{Kind: record.AppService, Name: a.Compose.Service + " of " + a.Compose.File}
	case len(a.Command) > 0:
		return record.App{Kind: record.AppCommand, Name: strings.Join(a.Command, " ")}
	case a.InCluster():
		kind, name := a.Kubernetes.Workload()
		return record.App{Kind: record.AppKubernetes, Name: kind + " " + name}
	case a.URL == "":
		return record.App{Kind: record.AppOrigin}
	}
	named := record.App{Kind: record.AppURL}
	if u, err := url.Parse(a.URL); err == nil {
		named.Name = u.Scheme + "://" + u.Host
	}
	return named
}

// Spec is what the stack needs to know to start a.
func (a *App) Spec() stack.App {
	s := stack.App{Image: a.Image, Build: a.Build, Compose: a.Compose, Command: a.Command, URL: a.Base(),
		Port: a.Port, Health: a.Health, Start: a.Start, Grace: a.Grace, Env: a.Env, Dir: a.Dir,
		Addr: a.address(), Memory: a.Memory, CPUs: a.CPUs, Pids: a.Pids, Shm: a.Shm, Kubernetes: a.Kubernetes}
	if a.IsOrigin() {
		s.Origin = &stack.Origin{Workers: a.Workers, Args: a.Args}
		s.Health = "/healthz"
	}
	return s
}

// address is what the user named for the host of the URL.
func (a *App) address() string {
	u, err := url.Parse(a.URL)
	if a.URL == "" || err != nil {
		return ""
	}
	return a.At(u)
}

// Base is the URL without path and query.
func (a *App) Base() string {
	u, err := url.Parse(a.URL)
	if a.URL == "" || err != nil {
		return a.URL
	}
	return u.Scheme + "://" + u.Host
}

// Path is the path and query that streams ask for.
func (a *App) Path() string {
	if a.Stream.Path != "" {
		return "/" + strings.TrimPrefix(a.Stream.Path, "/")
	}
	if u, err := url.Parse(a.URL); err == nil && a.URL != "" {
		return u.RequestURI()
	}
	if a.IsOrigin() {
		return "/stream"
	}
	return "/"
}

// HasPlain reports whether a can be asked for its answer in one piece.
func (a *App) HasPlain() bool {
	return a.IsOrigin() || a.Stream.PlainPath != "" || a.Stream.PlainBody != ""
}

// abilities are what a can be asked for, as the record keeps them.
func (a *App) abilities() *record.Abilities {
	return &record.Abilities{Origin: a.IsOrigin(), Pauses: a.IsOrigin() || strings.Contains(a.Path(), "{pause}"),
		Plain: a.HasPlain(), Ledger: a.LedgerPath() != "", Started: a.URL == ""}
}

// LedgerPath is the path of the app's account of a stream, "" if it keeps none.
func (a *App) LedgerPath() string {
	if a.Ledger == "" && a.IsOrigin() {
		return "/ledger?nonce={nonce}"
	}
	return a.Ledger
}

// shaped reports whether a answers in the shape that a scenario asks for.
func (a *App) shaped() bool { return a.IsOrigin() || strings.Contains(a.Path(), "{gap}") }

// Method is the one of the request that streams send.
func (a *App) Method() string {
	switch {
	case a.Stream.Method != "":
		return strings.ToUpper(a.Stream.Method)
	case a.Stream.Body != "":
		return http.MethodPost
	}
	return http.MethodGet
}

// dialect finds the dialect, and the expressions for the terminal and for errors.
func (a *App) dialect() (d stream.Dialect, terminal, failure *stream.Matcher, err error) {
	name := a.Stream.Dialect
	if name == "" {
		name = "sse-generic"
		if a.IsOrigin() {
			name = "origin"
		}
	}
	d, ok := stream.Lookup(name)
	if s := a.Stream.Spec; !ok && s != nil && s.Name == name {
		if d, err = s.Compile(); err != nil {
			return d, nil, nil, &UsageError{Place: "dialect", Problem: err.Error()}
		}
		ok = true
	}
	switch {
	case !ok:
		return d, nil, nil, badInput("dialect", name, "unknown dialect", dialectNames())
	case a.Stream.Terminal == "" && d.NeedsTerminal && a.Stream.Endless.For == 0:
		return d, nil, nil,
			&UsageError{Place: "terminal", Problem: "dialect " + name + " proves nothing without a terminal expression",
				Fix: `say what its last event looks like, as in --terminal 'data == [DONE]', or for a feed without an end how ` +
					`long to read it, as in --endless 10s,5`}
	case a.Stream.Error != "" && d.Format.Name == stream.Text.Name:
		return d, nil, nil, &UsageError{Place: "error", Problem: "dialect " + name + " has no events for it to match",
			Fix: "use a dialect of events, or let the app fail by its status or by cutting the connection"}
	}
	if terminal, err = expression("terminal", a.Stream.Terminal); err != nil {
		return d, nil, nil, err
	}
	failure, err = expression("error", a.Stream.Error)
	return d, terminal, failure, err
}

// expression parses what the user wrote at a place, nil where that is nothing.
func expression(place, expr string) (*stream.Matcher, error) {
	if expr == "" {
		return nil, nil
	}
	m, err := stream.ParseTerminal(expr)
	if err != nil {
		return nil, &UsageError{Place: place, Problem: err.Error(),
			Fix: "see 'streamproof run --help' for the forms it can take"}
	}
	return m, nil
}

// places are where events bear their number and their owner's ID; nil where nobody
// said.
func (a *App) places() (order, owner *stream.Place, err error) {
	if order, err = a.placeOf("order", a.Stream.Order); err == nil {
		owner, err = a.placeOf("owner", a.Stream.Owner)
	}
	return order, owner, err
}

func (a *App) placeOf(name, expr string) (*stream.Place, error) {
	if expr == "" {
		return nil, nil
	}
	d, _, _, err := a.dialect()
	if err != nil {
		return nil, err
	}
	p, err := stream.ParsePlace(expr)
	switch {
	case d.Format.Name == stream.Text.Name:
		return nil, &UsageError{Place: name, Problem: "dialect " + d.Name + " has no events that could contain it",
			Fix: "use a dialect of events, or declare the text's SHA-256"}
	case err != nil:
		return nil, &UsageError{Place: name, Problem: err.Error(),
			Fix: "write the way to it in the JSON, such as .seq or .choices[0].index; or id, for the ID of SSE"}
	case expr == "id" && d.Format.Name != stream.SSE.Name:
		return nil, &UsageError{Place: name, Problem: "dialect " + d.Name + " has no IDs of SSE",
			Fix: "write .id for the member id of the JSON"}
	}
	return p, nil
}

func dialectNames() []string {
	var names []string
	for _, d := range stream.Dialects() {
		names = append(names, d.Name)
	}
	return names
}

// Validate says what is wrong with a, before anything is started.
func (a *App) Validate() error {
	if n := a.kinds(); n > 1 {
		return &UsageError{Place: "app",
			Problem: fmt.Sprintf("%d of image, build, compose, command, url and kubernetes are given", n),
			Fix:     "name one"}
	}
	if a.URL != "" {
		if err := validURL(a.URL); err != nil {
			return err
		}
	}
	d, _, _, err := a.dialect()
	if err != nil {
		return err
	}
	if err := a.unused(d); err != nil {
		return err
	}
	if _, _, err := a.places(); err != nil {
		return err
	}
	if e := a.Stream.Endless; e.For < 0 || e.Events < 0 || e.Events > 0 && e.For == 0 {
		return &UsageError{Place: "endless", Problem: fmt.Sprintf("%s and %d events", e.For, e.Events),
			Fix: "say how long to read and how many events must come: 10s,5"}
	}
	if a.Replicas < 0 || a.Replicas > 64 {
		return &UsageError{Place: "app.replicas", Problem: fmt.Sprintf("%d replicas", a.Replicas), Fix: "ask for 1 to 64"}
	}
	if a.Ledger != "" && !strings.Contains(a.Ledger, "{nonce}") {
		return &UsageError{Place: "app.ledger", Problem: fmt.Sprintf("%q does not say which stream", a.Ledger),
			Fix: "write it like /ledger?nonce={nonce}"}
	}
	if err := cmp.Or(a.validRequest(), a.validValues(), a.validTLS(), a.validCluster()); err != nil {
		return err
	}
	return a.expandable()
}

// expandable refuses environment variables that are not set.
func (a *App) expandable() error {
	for _, name := range slices.Sorted(maps.Keys(a.Stream.Headers)) {
		if _, err := expand("stream.headers."+name, a.Stream.Headers[name]); err != nil {
			return err
		}
	}
	_, err := expand("stream.body", a.Stream.Body)
	return err
}

// expand puts environment variables into what stands at a place.
func expand(place, s string) (string, error) {
	full, missing := secret.Expand(s)
	if missing != "" {
		return "", &UsageError{Place: place, Problem: "environment variable " + missing + " is not set",
			Fix: "export it, or take ${" + missing + "} out"}
	}
	return full, nil
}

// unused refuses what would be taken and do nothing.
func (a *App) unused(d stream.Dialect) error {
	s := &a.Stream
	for _, proof := range []struct {
		place string
		given bool
	}{{"sentinel", s.Sentinel != ""}, {"length", s.Length != 0}, {"sha256", s.SHA256 != ""}} {
		if proof.given && d.Format.Name != "text" {
			return &UsageError{Place: proof.place, Problem: "it proves that a plain text is whole, and the dialect is " + d.Name,
				Fix: "leave it out, or say --dialect text"}
		}
	}
	if a.Workers > 0 && !a.IsOrigin() {
		return &UsageError{Place: "workers", Problem: "only the built-in server is started with worker processes",
			Fix: "leave it out, and tell your app itself: env, or its command"}
	}
	return nil
}

func (a *App) kinds() int {
	n := 0
	for _, set := range []bool{a.Image != "", a.Build != "", a.Compose.File != "", len(a.Command) > 0, a.URL != "",
		a.InCluster()} {
		if set {
			n++
		}
	}
	return n
}

// validCluster refuses what a workload of Kubernetes lacks, and what it does not take.
func (a *App) validCluster() error {
	k := &a.Kubernetes
	switch {
	case !a.InCluster():
		return nil
	case (k.Deployment == "") == (k.StatefulSet == ""):
		return &UsageError{Place: "app.kubernetes", Problem: "it does not name one workload",
			Fix: "name a deployment or a statefulset"}
	case k.Service == "":
		return &UsageError{Place: "app.kubernetes", Problem: "it does not say where the streams go",
			Fix: "add service: with the name of the Service before the pods"}
	case a.Edge != (stack.Edge{}):
		return &UsageError{Place: "edge", Problem: "streamproof puts no edge before a Service of Kubernetes",
			Fix: "leave edge out"}
	}
	for _, x := range []struct {
		key   string
		given bool
	}{{"env", len(a.Env) > 0}, {"dir", a.Dir != ""}, {"memory", a.Memory != 0}, {"cpus", a.CPUs != 0},
		{"pids", a.Pids != 0}, {"shm", a.Shm != 0}, {"grace", a.Grace != 0}} {
		if x.given {
			return &UsageError{Place: "app." + x.key, Problem: "the pods have what their own manifest says",
				Fix: "leave it out, and change the manifest of the " + a.named().Name}
		}
	}
	return nil
}

func validURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
	case u.User != nil: // no stream sends them, and the line that repeats the run could not show them
		return &UsageError{Place: "url", Problem: "credentials in a URL are not sent",
			Fix: "leave them out of it, and add --header 'Authorization: Basic ${BASIC}' after: " +
				"export BASIC=$(printf %s 'NAME:PASSWORD' | base64)"}
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return nil
	}
	return &UsageError{Place: "url", Problem: fmt.Sprintf("%q is no http or https URL", raw),
		Fix: "write it like http://127.0.0.1:8000/chat"}
}
