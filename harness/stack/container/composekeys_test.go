package container

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// wholes are types of the reader's of which no key is looked at: the key that they stand
// in is refused or left out as a whole, or the reader has dealt with it.
var wholes = []reflect.Type{
	reflect.TypeFor[types.BlkioConfig](), reflect.TypeFor[types.WeightDevice](), reflect.TypeFor[types.ThrottleDevice](),
	reflect.TypeFor[types.CredentialSpecConfig](), reflect.TypeFor[types.DeviceRequest](),
	reflect.TypeFor[types.EnvFile](), reflect.TypeFor[types.ExtendsConfig](), reflect.TypeFor[types.LoggingConfig](),
	reflect.TypeFor[types.ServiceModelConfig](), reflect.TypeFor[types.ModelConfig](),
	reflect.TypeFor[types.ServiceProviderConfig](),
	reflect.TypeFor[types.PreStartHook](), reflect.TypeFor[types.ServiceHook](), reflect.TypeFor[types.SSHKey](),
	reflect.TypeFor[types.DevelopConfig](), reflect.TypeFor[types.Trigger](), reflect.TypeFor[types.ServiceVolumeImage](),
	reflect.TypeFor[types.UpdateConfig](), reflect.TypeFor[types.Placement](),
	reflect.TypeFor[types.PlacementPreferences](), reflect.TypeFor[types.GenericResource](),
	reflect.TypeFor[types.DiscreteGenericResource](), reflect.TypeFor[types.IPAMConfig](),
	reflect.TypeFor[types.IPAMPool](),
	reflect.TypeFor[types.JobConfig](), reflect.TypeFor[types.TriggerConfig](), reflect.TypeFor[types.ScheduleConfig](),
}

// gather adds a type to those of the reader's that a file may have, and all in it.
func gather(there map[reflect.Type]bool, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		gather(there, t.Elem())
	case reflect.Struct:
		if there[t] {
			return
		}
		there[t] = true
		for _, f := range keysIn(t) {
			gather(there, f.typ)
		}
	}
}

// unsettled are the keys of a type without a treatment, and the treatments without a key.
func unsettled(t reflect.Type, treatments table) (keys []string) {
	known := map[string]bool{}
	for _, f := range keysIn(t) {
		if known[f.key] = true; treatments[f.key] == nil {
			keys = append(keys, f.key+" has no treatment")
		}
	}
	for key := range treatments {
		if !known[key] {
			keys = append(keys, key+" is no key")
		}
	}
	slices.Sort(keys)
	return keys
}

// A new version of the reader cannot bring a key that nobody has decided about.
func TestEveryComposeKeyHasATreatment(t *testing.T) {
	there := map[reflect.Type]bool{}
	gather(there, reflect.TypeFor[types.Project]())
	keys := 0
	for typ := range there {
		switch treatments, ok := keysOf[typ]; {
		case ok:
			keys += len(treatments)
			for _, problem := range unsettled(typ, treatments) {
				t.Errorf("%s: %s", typ, problem)
			}
		case !slices.Contains(wholes, typ):
			t.Errorf("%s has no table of keys", typ)
		}
	}
	for typ := range keysOf {
		if !there[typ] {
			t.Errorf("%s is in no compose file", typ)
		}
	}
	for _, typ := range wholes {
		if _, ok := keysOf[typ]; ok || !there[typ] {
			t.Errorf("%s is not left whole", typ)
		}
	}
	if keys < 200 {
		t.Errorf("only %d keys were found", keys)
	}
}

// The test above sees keys that come and go, also in what a type embeds.
func TestUnsettledKeysAreSeen(t *testing.T) {
	type fresh struct {
		Old  string           `yaml:"old,omitempty"`
		New  *bool            `yaml:"new,omitempty"`
		Ours string           `yaml:"-"`
		Own  types.Extensions `yaml:"#extensions,inline,omitempty"`
	}
	got := unsettled(reflect.TypeFor[fresh](), table{}.with(carried, "old", "gone"))
	if want := []string{"gone is no key", "new has no treatment"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	got = unsettled(reflect.TypeFor[struct {
		types.UlimitsConfig `yaml:",inline"`
		Softer              int `yaml:"softer"`
	}](), keysOf[reflect.TypeFor[types.UlimitsConfig]()])
	if want := []string{"softer has no treatment"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A key that was not there when this was written is refused when a file has it.
func TestComposeKeysOfTomorrowAreRefused(t *testing.T) {
	type tomorrow struct {
		Fresh string `yaml:"fresh"`
	}
	s := &screening{file: &composition{Project: &types.Project{}}}
	var refused *Refused
	if err := s.look("web", "services.web", tomorrow{"x"}); !errors.As(err, &refused) ||
		refused.Key != "services.web.fresh" {
		t.Errorf("%v", err)
	}
	if err := s.look("web", "services.web", tomorrow{}); err != nil {
		t.Errorf("one that is not set: %v", err)
	}
}

// left are the keys of a file that are left out, by their kinds.
func left(t *testing.T, text string) map[string]record.FactKind {
	t.Helper()
	path := write(t, "compose.yml", text)
	warnings, err := CheckCompose(t.Context(), stack.Compose{File: path, Service: "web"})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]record.FactKind{}
	for _, w := range warnings {
		keys[w.Place] = w.Kind
	}
	return keys
}

// What is not used as Compose would is said by its name, and nothing else is.
func TestComposeWarnsOfKeys(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want map[string]record.FactKind
	}{
		"nothing of the kind": {"services: {web: {image: a, expose: ['80'], ports: ['8000'], scale: 1, attach: true, ipc: " +
			"private, x-own: 1, " +
			"networks: {default: {aliases: [b]}}, deploy: {mode: replicated, replicas: 1, resources: {limits: {memory: 1g}}}, " +
			"volumes: ['vol:/v', './:/w:ro'], healthcheck: {test: 'true'}, depends_on: [db]}, db: {image: b, healthcheck: " +
			"{test: 'true'}}}\n" +
			"networks: {default: {driver: bridge, enable_ipv6: false}}\nvolumes: {vol: {driver: local}}\nx-more: 2",
			map[string]record.FactKind{"services.web.healthcheck": record.FactComposeHealth}},
		"of a service": {"services: {web: {image: a, container_name: front, restart: always, scale: 3, pull_policy: " +
			"always, attach: false, " +
			"logging: {driver: syslog}, memswap_limit: 2g, mem_limit: 1g, develop: {watch: []}, labels: {a: b}, dns: " +
			"10.0.0.1, stop_grace_period: 3s, profiles: [p]}}",
			map[string]record.FactKind{"services.web.container_name": record.FactComposeNames,
				"services.web.restart": record.FactComposeRestart,
				"services.web.scale":   record.FactComposeReplicas, "services.web.pull_policy": record.FactComposeImages,
				"services.web.attach": record.FactComposeLogs, "services.web.logging": record.FactComposeLogs,
				"services.web.memswap_limit": record.FactComposeSwap, "services.web.develop": record.FactComposeTools}},
		"of a helper": {"services: {web: {image: a, depends_on: [db]}, db: {image: b, restart: always, stop_grace_period: " +
			"1m, " +
			"deploy: {restart_policy: {condition: any, delay: 5s}}, healthcheck: {test: 'true', start_interval: 1s}, ports: " +
			"['127.0.0.1:5432:5432', '53:53/udp']}}",
			map[string]record.FactKind{"services.db.stop_grace_period": record.FactComposeStop,
				"services.db.deploy.restart_policy.delay": record.FactComposeSwarm,
				"services.db.ports[0].published":          record.FactComposePorts,
				"services.db.ports[0].host_ip":            record.FactComposePorts,
				"services.db.ports[1].published":          record.FactComposePorts,
				"services.db.ports[1].protocol":           record.FactComposePorts}},
		"of deploy": {"services: {web: {image: a, deploy: {mode: global, replicas: 2, update_config: {order: start-first}, " +
			"placement: {constraints: [x]}, " +
			"restart_policy: {condition: any}, endpoint_mode: vip, labels: {a: b}, resources: {limits: {cpus: '1'}, " +
			"reservations: {cpus: '0.5', memory: 1m}}}}}",
			map[string]record.FactKind{"services.web.deploy.mode": record.FactComposeSwarm,
				"services.web.deploy.replicas":                    record.FactComposeReplicas,
				"services.web.deploy.update_config":               record.FactComposeSwarm,
				"services.web.deploy.placement":                   record.FactComposeSwarm,
				"services.web.deploy.restart_policy":              record.FactComposeRestart,
				"services.web.deploy.endpoint_mode":               record.FactComposeSwarm,
				"services.web.deploy.labels":                      record.FactComposeSwarm,
				"services.web.deploy.resources.reservations.cpus": record.FactComposeSwarm}},
		"of networks": {"services: {web: {image: a, networks: {one: {priority: 1}, two: }, depends_on: [db]}, db: {image: " +
			"b, networks: [two]}, other: {image: c, networks: [three]}}\n" +
			"networks: {one: {internal: true, name: own, ipam: {config: [{subnet: 10.9.0.0/16}]}}, two: {driver_opts: {a: " +
			"b}}, three: {external: true}}",
			map[string]record.FactKind{"services.web.networks.one.priority": record.FactComposeNetwork,
				"networks":              record.FactComposeNetwork,
				"networks.one.internal": record.FactComposeNetwork, "networks.one.ipam": record.FactComposeNetwork,
				"networks.one.name": record.FactComposeNames, "networks.two.driver_opts": record.FactComposeNetwork}},
		"of volumes": {"services: {web: {image: a, volumes: [{type: volume, source: v, target: /v, read_only: true, " +
			"volume: {nocopy: true}}, " +
			"{type: bind, source: ., target: /w, read_only: true, bind: {propagation: rslave}, consistency: " +
			"cached}]}}\nvolumes: {v: {name: data, labels: {a: b}}, w: {external: true}}",
			map[string]record.FactKind{"volumes.v.name": record.FactComposeNames,
				"services.web.volumes[1].consistency": record.FactComposeTools}},
		"of files": {"services: {web: {image: a, secrets: [{source: s, uid: '1', mode: 0400}]}}\nsecrets: {s: {file: " +
			"compose.yml}}",
			map[string]record.FactKind{"services.web.secrets[0].uid": record.FactComposeOwner,
				"services.web.secrets[0].mode": record.FactComposeOwner}},
		"of a build": {"services: {web: {build: {context: ., no_cache: true, tags: [x]}}}",
			map[string]record.FactKind{"services.web.build.no_cache": record.FactComposeImages,
				"services.web.build.tags": record.FactComposeTools}},
	} {
		if got := left(t, tc.text); !maps.Equal(got, tc.want) {
			t.Errorf("%s:\n%v, want\n%v", name, got, tc.want)
		}
	}
}

// What would change what the app does is refused by its name, with what to do.
func TestComposeRefusesKeys(t *testing.T) {
	const web = "services: {web: {image: a, "
	for want, text := range map[string]string{
		"volumes.vol.external": web + "volumes: ['vol:/v']}}\nvolumes: {vol: {external: true}}",
		"volumes.vol.driver":   web + "volumes: ['vol:/v']}}\nvolumes: {vol: {driver: nfs}}",
		"volumes.vol.driver_opts": web +
			"volumes: ['vol:/v']}}\nvolumes: {vol: {driver_opts: {type: nfs}}}",
		"networks.n.external": web +
			"networks: [n]}}\nnetworks: {n: {external: true, name: traefik}}",
		"networks.default.external": web + "command: x}}\nnetworks: {default: {external: true}}",
		"networks.n.driver":         web + "networks: [n]}}\nnetworks: {n: {driver: macvlan}}",
		"services.web.networks.n.ipv4_address": web +
			"networks: {n: {ipv4_address: 10.9.0.2}}}}\nnetworks: {n: {}}",
		"services.web.networks.n.mac_address": web +
			"networks: {n: {mac_address: '02:42:ac:11:00:02'}}}}\nnetworks: {n: {}}",
		"services.web.secrets[0].mode": web +
			"secrets: [{source: s, mode: 0400}]}}\nsecrets: {s: {environment: PATH}}",
		"services.web.configs[0].uid": web +
			"configs: [{source: c, uid: '1'}]}}\nconfigs: {c: {content: x}}",
		"secrets.s.external":        web + "secrets: [s]}}\nsecrets: {s: {external: true}}",
		"services.web.network_mode": web + "network_mode: 'service:db'}, db: {image: b}}",
		"services.web.pid":          web + "pid: host}}",
		"services.web.ipc":          web + "ipc: host}}",
		"services.web.gpus":         web + "gpus: all}}",
		"services.web.deploy.resources.reservations.devices": web +
			"deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}}",
		"services.llm.provider": web + "depends_on: [llm]}, llm: {provider: {type: model}}}",
		"services.web.models":   web + "models: [m]}}\nmodels: {m: {model: ai/x}}",
		"services.web.volumes[0].volume.subpath": web +
			"volumes: [{type: volume, source: v, target: /v, volume: {subpath: x}}]}}\nvolumes: {v: {}}",
		"services.web.volumes[0].type":   web + "volumes: [{type: image, source: b, target: /b}]}}",
		"services.web.devices[0].source": web + "devices: ['nvidia.com/gpu=all']}}",
		"services.web.dns":               web + "dns: [10.0.0.1, ns.example]}}",
		"services.web.volumes_from":      web + "volumes_from: [db]}, db: {image: b}}",
		"services.web.oom_kill_disable":  web + "oom_kill_disable: true}}",
		"services.web.build.ssh":         "services: {web: {build: {context: ., ssh: [default]}}}",
	} {
		path := write(t, "compose.yml", text)
		_, err := CheckCompose(t.Context(), stack.Compose{File: path, Service: "web"})
		var refused *Refused
		if !errors.As(err, &refused) || refused.Key != want || refused.Why == "" || refused.Fix == "" {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "read "+path+": "+want+": ") || strings.Contains(text, "\n") {
			t.Errorf("%s: said as %q", want, text)
		}
	}
}

// A grace of nothing is none, and not the default; app.grace stands before both.
func TestStopGraceOfNothing(t *testing.T) {
	for says, want := range map[string]time.Duration{"": 10 * time.Second, ", stop_grace_period: 0s": 0,
		", stop_grace_period: 90s": 90 * time.Second} {
		spec := stack.Spec{LogDir: t.TempDir(), App: stack.App{
			Compose: stack.Compose{File: write(t, "compose.yml", "services: {web: {image: a"+says+"}}"), Service: "web"}}}
		if err := prepare(t.Context(), &spec); err != nil || spec.App.Grace != want {
			t.Errorf("%q: %v, want %v (%v)", says, spec.App.Grace, want, err)
		}
		spec.App.Grace = 3 * time.Second
		if err := prepare(t.Context(), &spec); err != nil || spec.App.Grace != 3*time.Second {
			t.Errorf("%q and app.grace 3s: %v (%v)", says, spec.App.Grace, err)
		}
	}
}

// A platform is refused where it is not the engine's.
func TestComposePlatform(t *testing.T) {
	for platform, want := range map[string]bool{"": true, "linux/amd64": true, "linux": true, "amd64": true,
		"linux/x86_64": true, "Linux/AMD64": true,
		"linux/arm64": false, "linux/arm64/v8": false, "windows/amd64": false, "arm64": false, "linux/386": false} {
		if sameMachine(platform, "linux", "amd64") != want {
			t.Errorf("%q on linux/amd64: %v", platform, !want)
		}
	}
	if !sameMachine("linux/arm64/v8", "linux", "aarch64") {
		t.Error("arm64 is not aarch64")
	}
	s := types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{Image: "a", Platform: "linux/arm64"}}
	var refused *Refused
	_, err := (&daemon{os: "linux", arch: "amd64"}).service(t.Context(), &composition{}, &s)
	if !errors.As(err, &refused) || refused.Key != "services.web.platform" || refused.Fix == "" {
		t.Errorf("%v", err)
	}
}
