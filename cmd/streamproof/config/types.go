package config

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Config is streamproof.yaml. What the harness knows is read into its own types: a
// field with a tag yaml is a key, and a tag value names how its value is written, where
// that is more than its type says (see [values]). The types below are what a file says
// in another way. What each key is for stands in keys.yaml.
type Config struct {
	App         harness.App       `yaml:"app"`
	Edge        stack.Edge        `yaml:"edge"`
	Stream      Stream            `yaml:"stream"`
	TLS         TLS               `yaml:"tls"`
	Load        harness.Load      `yaml:"load"`
	LoadWorkers int               `yaml:"load_workers"`
	Fleet       harness.Fleet     `yaml:"fleet"`
	Limits      Limits            `yaml:"limits"`
	Thresholds  record.Thresholds `yaml:"thresholds"`
	SLO         string            `yaml:"slo"`
	Logs        map[string]Names  `yaml:"logs"`
	Scenarios   Names             `yaml:"scenarios"`
	Define      []Define          `yaml:"define"`
	Require     []string          `yaml:"require"`
	Suites      map[string]Names  `yaml:"suites"`
	Retries     Retries           `yaml:"retries"`
	Flaky       Flaky             `yaml:"flaky"`
	Quarantine  []Quarantine      `yaml:"quarantine"`
	Dialects    []stream.Spec     `yaml:"dialects" value:"plain"`
	Strict      bool              `yaml:"strict"`
	AllowUnable bool              `yaml:"allow_unable"`
	AllowHosts  []string          `yaml:"allow_hosts"`
	Seed        uint64            `yaml:"seed"`
}

// A Quarantine excuses a scenario for a time.
type Quarantine struct {
	Scenario string `yaml:"scenario"`
	Reason   string `yaml:"reason"`
	Until    string `yaml:"until"`
}

// A Stream has its prompts in a file.
type Stream struct {
	harness.Stream `yaml:",inline"`
	Prompts        string `yaml:"prompts" value:"path"`
}

// A TLS has the addresses to connect to beside it, each as HOST:PORT:ADDRESS.
type TLS struct {
	harness.TLS `yaml:",inline"`
	Resolve     []string `yaml:"resolve"`
}

// Limits are our own bounds on every stream.
type Limits struct {
	FirstEvent Limit `yaml:"first_event"`
	Gap        Limit `yaml:"gap"`
	Progress   Limit `yaml:"progress"`
	Total      Limit `yaml:"total"`
}

// A Define is a scenario of the user's own. What it leaves out is taken from the
// scenario that it extends.
type Define struct {
	harness.Scenario `yaml:",inline"`
	Extends          string            `yaml:"extends"`
	Fault            *Fault            `yaml:"fault"`
	Checks           Flags             `yaml:"checks"`
	Thresholds       record.Thresholds `yaml:"thresholds"`
}
