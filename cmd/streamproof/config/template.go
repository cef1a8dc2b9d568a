package config

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"text/template"
)

// A Start is what a first file is written for: one of URL, Image and Command, or
// none for our own origin; and the request, as far as it is known.
type Start struct {
	File                string // that it is written to, "" for streamproof.yaml
	URL, Image, Command string
	Path                string
	Method, Body        string
	Dialect             Dialect
	Terminal            string
	Headers             []Header
	Insecure            bool
	CACert              string
	Length              int64 // of a text that was the same each time
	// Stream and TLS are further keys of these sections, a line of YAML each, and
	// AllowHosts is a list in YAML; "" for none.
	Stream, TLS []string
	AllowHosts  string
	// Endless says that Stream has what tells how a feed is read, which has no last event.
	Endless bool
	// Asked says that the app was asked, and what it answered told how to read it.
	Asked bool
}

// A Header is a field of the request, its value with ${NAME} for what is secret.
type Header struct{ Name, Value string }

// Name is how the file is named in it.
func (s Start) Name() string { return cmp.Or(s.File, "streamproof.yaml") }

// Place is the path and query of the URL.
func (s Start) Place() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return "/"
	}
	return u.RequestURI()
}

// Own reports whether the file is for an app of the user's.
func (s Start) Own() bool { return s.URL+s.Image+s.Command != "" }

// Generic reports whether the dialect has to be told what a last event looks
// like.
func (s Start) Generic() bool {
	return s.Dialect == "" || strings.HasSuffix(string(s.Dialect), "-generic")
}

// Open reports whether nobody has said yet how answers are read.
func (s Start) Open() bool { return s.Dialect == "" || s.Generic() && s.Terminal == "" }

// Template writes a first streamproof.yaml, with a comment where a reader has
// to decide. [Parse] accepts it as it is.
func Template(s Start) (string, error) {
	var b strings.Builder
	err := first.Execute(&b, s)
	return b.String(), err
}

// SchemaFile is the name under which the template looks for the schema.
const SchemaFile = "streamproof.schema.json"

// first quotes what comes from the user: YAML's double-quoted style is that of
// JSON. A server of one's own is asked in the generic dialect until its owner
// names a better one.
var first = template.Must(template.New("first").Funcs(template.FuncMap{"quote": quote}).Parse(
	`# yaml-language-server: $schema=` + SchemaFile + `
# {{.Name}}: run it with 'streamproof run -f {{.Name}}'.
# All keys: 'streamproof schema'. All scenarios: 'streamproof scenarios'.

app:
{{- if .URL}}
  url: {{quote .URL}}            # a server that already runs
{{- else if .Image}}
  image: {{quote .Image}}
  port: 8000                     # where it listens inside the container
  health: /healthz               # answers 2xx when the app is ready; leave it out to wait for the port
  # memory: 256MiB
{{- else if .Command}}
  command: {{quote .Command}}    # its port is in $PORT and replaces {port}
  # health: /healthz             # answers 2xx when the app is ready; without it an open port is enough
  # start: 30s                   # how long that may take
{{- else}}
  workers: 2                     # of the built-in server; name a url, a command or an image for your app
{{- end}}

stream:
{{- if .Own}}
{{- if .Path}}
  path: {{quote .Path}}
{{- else if .URL}}
  path: {{quote .Place}}          # path and query, as in the URL
{{- else}}
  path: /                        # SET THIS: the path that clients request; a wrong one answers 404 and proves nothing
{{- end}}
{{- if .Method}}
  method: {{quote .Method}}
{{- else if not .Body}}
  # method: POST
{{- end}}
{{- if .Headers}}
  headers:                       # values of ${NAME} come from the environment and are never written to disk
{{- range .Headers}}
    {{quote .Name}}: {{quote .Value}}
{{- end}}
{{- else}}
  # headers: {Authorization: "Bearer ${API_KEY}"}   # the value is never written to disk
{{- end}}
{{- if .Body}}
  body: {{quote .Body}}
{{- else}}
  # body: '{"q": "hi"}'
{{- end}}
{{- if .Dialect}}
  dialect: {{.Dialect}}{{if .Asked}}                  # detected from one request{{end}}
{{- else}}
  # dialect: openai-chat         # how answers are read; left out, it is recognised from one request
{{- end}}
{{- if .Terminal}}
  terminal: {{quote .Terminal}}{{if .Asked}}   # matches the last event and no other; check that it always does{{end}}
{{- else if and .Generic .Dialect (not .Endless)}}
  terminal: "data == [DONE]"     # SET THIS: what the last event of a complete response looks like
{{- end}}
{{- if .Length}}
  length: {{.Length}}                  # two responses had this length; check that all do
{{- end}}
{{- range .Stream}}
  {{.}}
{{- end}}
{{- if eq .Dialect "text"}}
  # plain_path: /chat?stream=false # asks for the same answer in one piece: best proof that a text is whole;
  # sentinel: "[END]"              # or the last bytes of every answer. Without either, streams are held
                                 # against what the app answers when asked directly
{{- end}}
{{- else}}
  path: {{if .Path}}{{quote .Path}}{{else}}/stream?events=20&gap=50ms{{end}}
  dialect: {{if .Dialect}}{{.Dialect}}{{else}}origin{{end}}
{{- end}}

{{if or .Insecure .CACert .TLS}}tls:
{{- if .Insecure}}
  insecure: true                 # accept any certificate
{{- end}}
{{- if .CACert}}
  cacert: {{quote .CACert}}
{{- end}}
{{- range .TLS}}
  {{.}}
{{- end}}

{{end}}load:
  streams: 20                    # at a time; or rate: 20/s
  # duration: 30s                # without it each stream is sent once

limits:
  gap: 10s                       # a stream is stalled if no byte arrives for this long
  # first_event: 1m              # from the request to the first content event
  # progress: 30s                # between content events, while heartbeats come; total: 5m bounds the rest

# thresholds: {first_event: 2s}  # absolute times that fail the run
# logs: {nginx_error: /var/log/nginx/error.log, app: [app.log, worker.log]}
# A scenario that needs something the app does not have (a second worker process, a
# pause that it can be asked for with {pause} in path) is not applicable and does
# not count; this makes it obligatory.
# require: [worker-kill]
# allow_unable: true             # ignore scenarios that this machine cannot run when setting the exit code
{{if .AllowHosts}}allow_hosts: {{.AllowHosts}}{{else}}# allow_hosts: [chat.example.com]{{end}}  # only localhost is tested unless a host is named here

# define:                        # a scenario of your own, to be named below
# - {id: slow-network, extends: latency, hold: 3s}

scenarios: [{{if .URL}}control{{else}}standard{{end}}]
`))

func quote(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}
