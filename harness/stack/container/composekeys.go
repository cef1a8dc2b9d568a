package container

import (
	"fmt"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/streamproof/streamproof/harness/record"
)

// A treatment is what becomes of a key that is set in a compose file.
type treatment struct {
	inside   bool            // it is carried over, and what is in it has keys of its own
	warn     record.FactKind // it is left, for this reason
	why, fix string          // it is refused
}

// A rule finds the treatment of a key by where it stands and what it is set to.
type rule func(s *screening, at string, v reflect.Value) treatment

// A table has a rule for each key of one of the reader's types.
type table map[string]rule

func (t table) with(j rule, keys ...string) table {
	for _, key := range keys {
		if t[key] != nil {
			panic("two treatments for " + key)
		}
		t[key] = j
	}
	return t
}

// carried are keys that streamproof carries over, or does what they ask for.
func carried(*screening, string, reflect.Value) treatment { return treatment{inside: true} }

// read are keys that Compose's reader has dealt with when we see them.
func read(*screening, string, reflect.Value) treatment { return treatment{} }

// warned are keys that are left out, and said so.
func warned(kind record.FactKind) rule {
	return func(*screening, string, reflect.Value) treatment { return treatment{warn: kind} }
}

// notCarried and takeOut are what is said of a key that nothing better is said of.
const (
	notCarried = "streamproof does not carry this over, and the app may not run as it does under Compose"
	takeOut    = "take it out for this test"
)

// refused are keys that would change what the app does.
func refused(*screening, string, reflect.Value) treatment {
	return treatment{why: notCarried, fix: takeOut}
}

func refusedFor(why, fix string) rule {
	return func(*screening, string, reflect.Value) treatment { return treatment{why: why, fix: fix} }
}

// unless is another rule's word on all values but some.
func unless(j rule, values ...string) rule {
	return func(s *screening, at string, v reflect.Value) treatment {
		if slices.Contains(values, fmt.Sprint(reflect.Indirect(v))) {
			return treatment{inside: true}
		}
		return j(s, at, v)
	}
}

// ofApp is one rule's word on the app, and another's on what it depends on.
func ofApp(app, helper rule) rule {
	return func(s *screening, at string, v reflect.Value) treatment {
		if s.app {
			return app(s, at, v)
		}
		return helper(s, at, v)
	}
}

// named are names of networks, volumes and the like: each has one, and mostly one that
// the reader has made of the project's name and the key.
func named(s *screening, _ string, v reflect.Value) treatment {
	if v.String() == s.file.Project.Name+"_"+s.entry || v.String() == s.entry {
		return treatment{}
	}
	return treatment{warn: record.FactComposeNames}
}

// reserved is one rule's word on a limit, and another's on a reservation.
func reserved(limit, reservation rule) rule {
	return func(s *screening, at string, v reflect.Value) treatment {
		if strings.Contains(at, ".deploy.resources.reservations.") {
			return reservation(s, at, v)
		}
		return limit(s, at, v)
	}
}

// ownerOf are who may read a secret or a config, and how. Compose leaves files as they are,
// and sets these of all others.
func ownerOf(s *screening, _ string, _ reflect.Value) treatment {
	if s.file.isFile(s.part) {
		return treatment{warn: record.FactComposeOwner}
	}
	return treatment{why: "streamproof sets owner and mode of no secret or config", fix: takeOut}
}

// volumeType are the types of volumes. Each has options of its own.
func volumeType(_ *screening, _ string, v reflect.Value) treatment {
	if slices.Contains(volumeTypes, v.String()) {
		return treatment{}
	}
	return treatment{why: fmt.Sprintf("streamproof does not carry over volumes of type %q; it does %s", v.String(),
		strings.Join(volumeTypes, ", ")), fix: takeOut}
}

// volumeTypes are those of volumes that are carried over.
var volumeTypes = []string{types.VolumeTypeBind, types.VolumeTypeVolume, types.VolumeTypeTmpfs}

// addresses are of name servers.
func addresses(_ *screening, _ string, v reflect.Value) treatment {
	for i := range v.Len() {
		if _, err := netip.ParseAddr(v.Index(i).String()); err != nil {
			return treatment{why: fmt.Sprintf("%q is no IP address", v.Index(i)), fix: "name the address of a name server"}
		}
	}
	return treatment{}
}

// deviceSource is a device of this machine by its path. Those of drivers are asked for by
// other names.
func deviceSource(_ *screening, _ string, v reflect.Value) treatment {
	if path.IsAbs(v.String()) {
		return treatment{}
	}
	return treatment{why: "streamproof carries over devices with a path only", fix: takeOut}
}

// volumeOptions are those of a volume in memory. With others a volume has its files
// elsewhere, and we would have to take it away without them.
func volumeOptions(_ *screening, _ string, v reflect.Value) treatment {
	if opts, ok := v.Interface().(types.Options); ok && opts["type"] == "tmpfs" && opts["device"] == "tmpfs" {
		return treatment{}
	}
	return treatment{why: "streamproof makes volumes that Docker keeps, or of type tmpfs",
		fix: "take it out for this test, or mount the folder itself"}
}

// keysOf has the treatment of every key of the reader's types, by their names in a file. The
// test of this file fails where a new version of the reader brings one that is not here;
// a program that meets one refuses it.
var keysOf = map[reflect.Type]table{
	reflect.TypeFor[types.ServiceConfig]():          ofService,
	reflect.TypeFor[types.BuildConfig]():            ofBuild,
	reflect.TypeFor[types.DeployConfig]():           ofDeploy,
	reflect.TypeFor[types.Resources]():              table{}.with(carried, "limits", "reservations"),
	reflect.TypeFor[types.Resource]():               ofResource,
	reflect.TypeFor[types.ServiceDependency]():      table{}.with(carried, "condition", "required", "restart"),
	reflect.TypeFor[types.HealthCheckConfig]():      ofHealth,
	reflect.TypeFor[types.RestartPolicy]():          ofRestart,
	reflect.TypeFor[types.DeviceMapping]():          ofDevice,
	reflect.TypeFor[types.UlimitsConfig]():          table{}.with(carried, "single", "soft", "hard"),
	reflect.TypeFor[types.ServicePortConfig]():      ofPort,
	reflect.TypeFor[types.ServiceNetworkConfig]():   ofServiceNetwork,
	reflect.TypeFor[types.ServiceVolumeConfig]():    ofServiceVolume,
	reflect.TypeFor[types.ServiceVolumeBind]():      ofBind,
	reflect.TypeFor[types.ServiceVolumeVolume]():    ofVolumeOptions,
	reflect.TypeFor[types.ServiceVolumeTmpfs]():     table{}.with(carried, "size", "mode"),
	reflect.TypeFor[types.ServiceConfigObjConfig](): ofReference,
	reflect.TypeFor[types.ServiceSecretConfig]():    ofReference,
	reflect.TypeFor[types.NetworkConfig]():          ofNetwork,
	reflect.TypeFor[types.VolumeConfig]():           ofVolume,
	reflect.TypeFor[types.ConfigObjConfig]():        ofFile,
	reflect.TypeFor[types.SecretConfig]():           ofFile,
	reflect.TypeFor[types.Project](): table{}.
		with(carried, "services", "networks", "volumes", "secrets", "configs").
		with(read, "name", "jobs", "models"), // jobs are run by hand, and models of a service are refused there
}

var ofService = table{}.
	with(carried, "name", "image", "build", "command", "entrypoint", "environment", "working_dir", "user", "hostname",
		"expose", "ports", "networks", "links", "extra_hosts", "volumes", "tmpfs", "configs", "secrets", "depends_on",
		"mem_limit", "cpus", "pids_limit", "shm_size", "ulimits", "deploy", "stop_signal", "init", "read_only", "privileged",
		"cap_add", "cap_drop", "security_opt", "sysctls", "group_add", "tty", "stdin_open", "annotations", "labels",
		"dns_opt", "dns_search", "domainname", "mem_reservation", "cpu_shares", "cpuset", "devices", "device_cgroup_rules").
	with(addresses, "dns").
	with(read, "env_file", "extends", "label_file", "profiles").
	with(carried, "platform"). // where it is the engine's, which [daemon.service] looks at
	with(ofApp(warned(record.FactComposeHealth), carried), "healthcheck").
	with(ofApp(carried, warned(record.FactComposeStop)), "stop_grace_period").
	with(ofApp(warned(record.FactComposeRestart), carried), "restart").
	with(unless(warned(record.FactComposeReplicas), "1"), "scale").
	with(warned(record.FactComposeNames), "container_name"). // which the others may still use
	with(warned(record.FactComposeLogs), "logging", "log_driver", "log_opt").
	with(unless(warned(record.FactComposeLogs), "true"), "attach").
	with(warned(record.FactComposeImages), "pull_policy", "pull_refresh_after").
	with(warned(record.FactComposeSwap), "memswap_limit", "mem_swappiness").
	with(warned(record.FactComposeTools), "develop").
	with(unless(refused, "private"), "ipc").
	with(unless(refused, "local"), "volume_driver").
	with(refusedFor("streamproof runs all services on a network of its own", takeOut), "network_mode", "net").
	with(refusedFor("streamproof starts containers only", "take it out, or start it yourself and name it in environment"),
		"provider", "models").
	with(refused, "blkio_config", "cgroup", "cgroup_parent", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota",
		"cpu_rt_period", "cpu_rt_runtime", "credential_spec", "dockerfile", "external_links", "gpus", "isolation",
		"mac_address", "oom_kill_disable", "oom_score_adj", "pid", "post_start", "pre_start", "pre_stop", "runtime",
		"storage_opt", "umask", "use_api_socket", "userns_mode", "uts", "volumes_from")

var ofBuild = table{}.
	with(carried, "context", "dockerfile", "dockerfile_inline", "target", "args", "extra_hosts", "network", "shm_size").
	with(warned(record.FactComposeImages), "cache_from", "cache_to", "no_cache", "no_cache_filter", "platforms", "pull").
	with(warned(record.FactComposeTools), "labels", "provenance", "sbom", "tags").
	with(refused, "additional_contexts", "entitlements", "isolation", "privileged", "secrets", "ssh", "ulimits")

var ofDeploy = table{}.
	with(carried, "resources").
	with(unless(warned(record.FactComposeReplicas), "1"), "replicas").
	with(ofApp(warned(record.FactComposeRestart), carried), "restart_policy").
	with(unless(warned(record.FactComposeSwarm), "replicated"), "mode").
	with(warned(record.FactComposeSwarm), "labels", "update_config", "rollback_config", "placement", "endpoint_mode")

// Compose, too, reserves memory and devices only.
var ofResource = table{}.
	with(carried, "memory").
	with(reserved(carried, warned(record.FactComposeSwarm)), "cpus", "pids").
	with(refused, "devices").
	with(warned(record.FactComposeSwarm), "generic_resources")

var ofDevice = table{}.with(deviceSource, "source").with(carried, "target", "permissions")

// Compose, too, leaves the rest to Swarm.
var ofRestart = table{}.
	with(carried, "condition", "max_attempts").
	with(warned(record.FactComposeSwarm), "delay", "window")

var ofHealth = table{}.
	with(carried, "test", "timeout", "interval", "retries", "start_period", "start_interval", "disable")

var ofPort = table{}.
	with(carried, "target").
	with(unless(warned(record.FactComposePorts), "tcp"), "protocol").
	with(warned(record.FactComposePorts), "published", "host_ip").
	with(unless(warned(record.FactComposeSwarm), "ingress"), "mode").
	with(warned(record.FactComposeTools), "name", "app_protocol")

var ofServiceNetwork = table{}.
	with(carried, "aliases").
	with(warned(record.FactComposeNetwork), "driver_opts", "gw_priority", "interface_name", "priority").
	with(unless(warned(record.FactComposeNetwork), "true"), "use_service_name_alias").
	with(refusedFor("addresses on streamproof's network are given by Docker", "take it out for this test, and use names"),
		"ipv4_address", "ipv6_address", "link_local_ips", "mac_address")

var ofServiceVolume = table{}.
	with(volumeType, "type").
	with(carried, "source", "target", "read_only", "bind", "volume", "tmpfs").
	with(warned(record.FactComposeTools), "consistency").
	with(refused, "image")

var ofBind = table{}.
	with(carried, "create_host_path", "selinux", "propagation").
	with(refused, "recursive")

var ofVolumeOptions = table{}.
	with(carried, "nocopy", "labels").
	with(refused, "subpath")

var ofReference = table{}.
	with(carried, "source", "target").
	with(ownerOf, "uid", "gid", "mode")

var ofNetwork = table{}.
	with(named, "name").
	with(unless(refusedFor("streamproof's network is a bridge", takeOut), "bridge", "default"), "driver").
	with(refusedFor("streamproof runs all services on a network of its own",
		"take external out for this test, and start what is needed there as a service of this file"), "external").
	with(unless(warned(record.FactComposeNetwork), "true"), "enable_ipv4").
	with(unless(warned(record.FactComposeNetwork), "false"), "enable_ipv6").
	with(warned(record.FactComposeNetwork), "driver_opts", "ipam", "internal", "attachable", "labels")

var ofVolume = table{}.
	with(named, "name").
	with(unless(refusedFor("streamproof makes volumes with the driver local only", takeOut), "local"), "driver").
	with(refusedFor("streamproof does not use volumes from outside of this file: a test would change what is in them",
		"take external out for this test, and it begins empty"), "external").
	with(volumeOptions, "driver_opts").
	with(carried, "labels")

var ofFile = table{}.
	with(named, "name").
	with(carried, "file", "environment", "content").
	with(warned(record.FactComposeSwarm), "labels").
	with(refusedFor("streamproof carries over secrets and configs of a file, a content or an environment variable only",
		"name a file for this test"), "external", "driver", "driver_opts", "template_driver")
