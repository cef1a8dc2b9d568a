package config

import "github.com/streamproof/streamproof/harness/stream"

// A Config is streamproof.yaml.
type Config struct {
	App         App              `yaml:"app,omitempty" jsonschema_description:"The system under test; without it our own origin. Name one of image, build, compose, command and url."`
	Edge        Edge             `yaml:"edge,omitempty" jsonschema_description:"The reverse proxy in front of the app; without it each scenario brings its own."`
	Stream      Stream           `yaml:"stream,omitempty" jsonschema_description:"The request that every stream sends, and how its answer is read."`
	TLS         TLS              `yaml:"tls,omitempty" jsonschema_description:"How the server of an https URL is reached and trusted."`
	Load        Load             `yaml:"load,omitempty" jsonschema_description:"How many streams are sent: a number at a time (streams), or a rate."`
	Limits      Limits           `yaml:"limits,omitempty" jsonschema_description:"Our own bounds on every stream."`
	Thresholds  Thresholds       `yaml:"thresholds,omitempty" jsonschema_description:"Absolute times that fail a run; unset, only ratios judge."`
	Logs        map[string]Names `yaml:"logs,omitempty" jsonschema_description:"Log files to read beside ours: kind (app, nginx_error, haproxy, kubernetes …; auto recognises it) to a path or a list of paths."`
	Scenarios   Names            `yaml:"scenarios,omitempty" jsonschema_description:"IDs as listed by 'streamproof scenarios', or standard for the whole suite."`
	Define      []Define         `yaml:"define,omitempty" jsonschema_description:"Scenarios of your own; without scenarios these are run."`
	Require     []string         `yaml:"require,omitempty" jsonschema_description:"IDs of scenarios that must be judged: one that does not apply to the app, which otherwise does not count, is then inconclusive."`
	Dialects    []stream.Spec    `yaml:"dialects,omitempty" jsonschema_description:"Dialects of your own, for stream.dialect: what the events of your API look like. The built-in ones are written in the same form, in harness/stream/dialects."`
	Strict      bool             `yaml:"strict,omitempty" jsonschema_description:"Also refuse cuts that clients can notice."`
	AllowUnable bool             `yaml:"allow_unable,omitempty" jsonschema_description:"Exit by the other scenarios where some cannot be played here; those stay inconclusive."`
	AllowHosts  []string         `yaml:"allow_hosts,omitempty" jsonschema_description:"Hosts beyond this machine that may be sent load."`
	Seed        uint64           `yaml:"seed,omitempty" jsonschema_description:"Chooses victims and positions; 0 or absent draws one."`
}

// An App is the system under test.
type App struct {
	Image   string   `yaml:"image,omitempty" jsonschema_description:"A container image."`
	Build   string   `yaml:"build,omitempty" jsonschema_description:"A folder with a Dockerfile."`
	Compose string   `yaml:"compose,omitempty" jsonschema_description:"A compose file, read as Compose does with .env beside it; service says which of its services is the app."`
	Service string   `yaml:"service,omitempty"`
	Command Command  `yaml:"command,omitempty" jsonschema_description:"A program, as a list or as one line. Its port is in $PORT and replaces {port}."`
	URL     string   `yaml:"url,omitempty" jsonschema_description:"A server that already runs."`
	Direct  string   `yaml:"direct,omitempty" jsonschema_description:"Where the app itself listens, behind an edge of yours at url; diagnose peels that edge off, and the scenario direct asks there."`
	Port    Port     `yaml:"port,omitempty" jsonschema_description:"Where the app listens; a command without it is given a free one."`
	Health  string   `yaml:"health,omitempty" jsonschema_description:"Path that answers 2xx when the app is ready; without it an open port is enough."`
	Start   Duration `yaml:"start,omitempty" jsonschema_description:"How long the app may take to become healthy; 30s if absent."`
	Grace   Duration `yaml:"grace,omitempty" jsonschema_description:"Time between SIGTERM and SIGKILL; 10s if absent."`

	Env      map[string]string `yaml:"env,omitempty"`
	Dir      string            `yaml:"dir,omitempty" jsonschema_description:"Working directory of a command; the folder of this file if absent."`
	Memory   Size              `yaml:"memory,omitempty" jsonschema_description:"Memory limit of a container."`
	CPUs     float64           `yaml:"cpus,omitempty" jsonschema:"minimum=0" jsonschema_description:"CPU limit of a container."`
	Pids     Count             `yaml:"pids,omitempty" jsonschema_description:"Limit of processes and threads of a container."`
	Shm      Size              `yaml:"shm,omitempty" jsonschema_description:"Size of a container's /dev/shm; Docker's own 64MiB if absent."`
	Ledger   string            `yaml:"ledger,omitempty" jsonschema_description:"Path of the app's own account of a stream, {nonce} standing for its X-Request-ID: tells work that goes on after a hang-up, and work done twice."`
	Replicas Count             `yaml:"replicas,omitempty" jsonschema_description:"Instances of the app behind the edge; 1 if absent."`
	Workers  Count             `yaml:"workers,omitempty" jsonschema_description:"Worker processes of our own origin; 1 if absent."`
}

// An Edge is the reverse proxy of the chain.
type Edge struct {
	Form        Form     `yaml:"form,omitempty"`
	ReadTimeout Duration `yaml:"read_timeout,omitempty" jsonschema_description:"nginx's proxy_read_timeout; 60s if absent."`
	NginxConf   string   `yaml:"nginx_conf,omitempty" jsonschema_description:"Your own nginx.conf, used instead of form, with the files beside it that it includes; of a template, the environment gives the values."`
}

// A Stream is the request that every stream sends, and how its answer is read.
type Stream struct {
	Path     string            `yaml:"path,omitempty" jsonschema_description:"Path and query."`
	Method   string            `yaml:"method,omitempty" jsonschema_description:"GET if absent, POST where there is a body."`
	Headers  map[string]string `yaml:"headers,omitempty" jsonschema_description:"May name environment variables as ${NAME}; those are kept out of every file."`
	Body     string            `yaml:"body,omitempty" jsonschema_description:"May name environment variables as ${NAME}."`
	Prompts  string            `yaml:"prompts,omitempty" jsonschema_description:"File of prompts, one a line, for {prompt} in path, headers or body; dealt out to the streams in turn."`
	Dialect  Dialect           `yaml:"dialect,omitempty" jsonschema_description:"How answers are read; recognised from one request if absent."`
	Terminal string            `yaml:"terminal,omitempty" jsonschema_description:"What the last event of a generic dialect looks like, such as: data == [DONE]"`
	Error    string            `yaml:"error,omitempty" jsonschema_description:"What an event looks like that says that the answer failed, beside the errors that the dialect knows, such as: json .code in (overloaded, quota)"`
	Endless  Endless           `yaml:"endless,omitempty" jsonschema_description:"For a feed without an end: how long each stream is read, and how many events must come in that time."`
	Sentinel string            `yaml:"sentinel,omitempty" jsonschema_description:"The last bytes of a complete text response."`
	Length   Size              `yaml:"length,omitempty" jsonschema_description:"The length of a complete text response."`
	SHA256   string            `yaml:"sha256,omitempty" jsonschema_description:"The SHA-256 of a complete text response, in hex."`

	PlainPath string   `yaml:"plain_path,omitempty" jsonschema_description:"Path and query that ask for the same answer in one piece."`
	PlainBody string   `yaml:"plain_body,omitempty" jsonschema_description:"Body that asks for the same answer in one piece."`
	Order     string   `yaml:"order,omitempty" jsonschema_description:"Where an event has its number, such as .seq or .choices[0].index, or id for the ID of SSE: lost, repeated and reordered events are then proved. Any first number, then each one more."`
	Owner     string   `yaml:"owner,omitempty" jsonschema_description:"Where an event echoes the request's ID, which is sent as X-Request-ID and wherever {nonce} stands in path, headers or body: content of other streams is then proved."`
	NoFollow  bool     `yaml:"no_follow,omitempty" jsonschema_description:"Take a redirect for the answer. Without it redirects are followed, at most 10, to hosts that load may go to."`
	Longest   Duration `yaml:"longest,omitempty" jsonschema_description:"How long the longest stream lasts; layers with shorter timers are named before any load."`
	Silence   Duration `yaml:"silence,omitempty" jsonschema_description:"The longest time that a stream may be silent, likewise."`
}

// A TLS says how the server of an https URL is reached and trusted.
type TLS struct {
	Insecure bool     `yaml:"insecure,omitempty" jsonschema_description:"Accept any certificate."`
	CACert   string   `yaml:"cacert,omitempty" jsonschema_description:"File of PEM with the authorities to trust instead of the system's."`
	Cert     string   `yaml:"cert,omitempty" jsonschema_description:"File of PEM with the client's certificate."`
	Key      string   `yaml:"key,omitempty" jsonschema_description:"File of PEM with its private key; in the file of cert if absent."`
	SNI      string   `yaml:"sni,omitempty" jsonschema_description:"Server name to ask for and to expect, instead of the URL's host."`
	Resolve  []string `yaml:"resolve,omitempty" jsonschema_description:"Addresses to connect to, each as HOST:PORT:ADDRESS."`
}

// An Endless says how a feed without an end is read.
type Endless struct {
	For    Duration `yaml:"for,omitempty" jsonschema_description:"How long each stream is read."`
	Events Count    `yaml:"events,omitempty" jsonschema_description:"The least number of events in that time; 1 if absent."`
}

// A Load is how many streams are sent.
type Load struct {
	Streams  Count    `yaml:"streams,omitempty" jsonschema_description:"Streams at a time; 20 if absent and no rate is given."`
	Total    Count    `yaml:"total,omitempty" jsonschema_description:"Streams in all, at most streams at a time; each of streams is sent once if absent."`
	Rate     Rate     `yaml:"rate,omitempty" jsonschema_description:"New streams per second, however many are still open."`
	Ramp     Duration `yaml:"ramp,omitempty" jsonschema_description:"Time over which the first streams start."`
	Duration Duration `yaml:"duration,omitempty" jsonschema_description:"How long streams are started; without it each is sent once."`
}

// Limits are our own bounds on every stream.
type Limits struct {
	FirstEvent Limit `yaml:"first_event,omitempty" jsonschema_description:"Longest time from the request to the first content event, whatever heartbeats come before it; 1m if absent."`
	Gap        Limit `yaml:"gap,omitempty" jsonschema_description:"Time without a byte after which a stream counts as stalled, and, where no threshold says otherwise, as late or gappy; 10s if absent."`
	Progress   Limit `yaml:"progress,omitempty" jsonschema_description:"Longest time between content events while other bytes come: heartbeats, or an event that is never completed; no limit but total if absent."`
	Total      Limit `yaml:"total,omitempty" jsonschema_description:"Longest life of a stream; 5m if absent."`
}

// Thresholds are absolute times that fail a run.
type Thresholds struct {
	FirstEvent Duration `yaml:"first_event,omitempty" jsonschema_description:"95th percentile of the time to the first event, over complete streams."`
	MaxGap     Duration `yaml:"max_gap,omitempty" jsonschema_description:"Longest silence in any complete stream."`
	Total      Duration `yaml:"total,omitempty" jsonschema_description:"95th percentile of the duration of complete streams."`
	Slowdown   Factor   `yaml:"slowdown,omitempty" jsonschema_description:"How many times as long as one stream alone streams may wait under load, and always 1 s longer; 5 if absent, or off."`
}
