package kube

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
)

// readme is where users read which rights they need.
const readme = "../../../cmd/streamproof/README.md"

// A role is a Role of Kubernetes, as far as we read it.
type role struct {
	Kind     string
	Metadata struct{ Name string }
	Rules    []struct {
		APIGroups        []string `yaml:"apiGroups"`
		Resources, Verbs []string
	}
}

// rights are what a Role grants.
func (r *role) rights() map[right]bool {
	all := map[right]bool{}
	for _, x := range r.Rules {
		for _, group := range x.APIGroups {
			for _, resource := range x.Resources {
				for _, verb := range x.Verbs {
					name, sub, _ := strings.Cut(resource, "/")
					all[right{verb, group, name, sub}] = true
				}
			}
		}
	}
	return all
}

// nodesRole is the ClusterRole of who drains nodes.
const nodesRole = "streamproof-nodes"

// readmeRoles are the rights of the Roles of the README, by their names.
var readmeRoles = sync.OnceValues(func() (map[string]map[right]bool, error) {
	text, err := os.ReadFile(readme)
	if err != nil {
		return nil, err
	}
	roles := map[string]map[right]bool{}
	for _, block := range strings.Split(string(text), "\n```") {
		block, isYAML := strings.CutPrefix(block, "yml\n")
		var r role
		if !isYAML || yaml.Unmarshal([]byte(block), &r) != nil || r.Kind != "Role" && r.Kind != "ClusterRole" {
			continue
		}
		roles[r.Metadata.Name] = r.rights()
	}
	if len(roles) != 3 || roles["streamproof"] == nil || roles["streamproof-fleet"] == nil || roles[nodesRole] == nil {
		return nil, fmt.Errorf("%s has the Roles %v", readme, slices.Collect(maps.Keys(roles)))
	}
	return roles, nil
})

// An audit is what the tests of this package have asked a fake API server for, and what of that the Roles of the README
// do not allow.
type audit struct {
	mu     sync.Mutex
	used   map[right]bool
	beside map[string]bool
}

var asked = audit{used: map[right]bool{}, beside: map[string]bool{}}

// allows refuses a request for which the README's Role grants no right, as an API server does.
func (a *audit) allows(w http.ResponseWriter, r *http.Request, fleet bool) bool {
	x, needed := rightOf(r)
	if !needed {
		return true
	}
	roles, err := readmeRoles()
	name := map[bool]string{false: "streamproof", true: "streamproof-fleet"}[fleet]
	if x.resource == "nodes" {
		name = nodesRole
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used[x] = true; roles[name][x] {
		return true
	}
	a.beside[fmt.Sprintf("Role %s of the README does not grant: %s (group %q) %v", name, x, x.group, err)] = true
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `{"kind": "Status", "message": "may not %s", "code": 403}`, x)
	return false
}

// rightOf is the right that a request needs; false where anybody has it.
func rightOf(r *http.Request) (x right, needed bool) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api" && parts[2] == "nodes":
		parts = parts[2:]
	case len(parts) > 4 && parts[0] == "api" && parts[2] == "namespaces":
		parts = parts[4:]
	case len(parts) > 5 && parts[0] == "apis" && parts[3] == "namespaces":
		x.group, parts = parts[1], parts[5:]
	default:
		return x, false
	}
	x.resource = parts[0]
	if len(parts) > 2 {
		x.sub = parts[2]
	}
	x.verb = map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPatch: "patch",
		http.MethodDelete: "delete"}[r.Method]
	switch {
	case r.URL.Query().Get("watch") != "":
		x.verb = "watch"
	case x.verb == "get" && len(parts) == 1:
		x.verb = "list"
	}
	return x, true
}

// amiss is what the Roles of the README lack, and, where all tests have run, what they grant in vain.
func (a *audit) amiss(all bool) (wrong []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	wrong = slices.Sorted(maps.Keys(a.beside))
	roles, err := readmeRoles()
	if err != nil {
		return append(wrong, err.Error())
	}
	for name, rights := range roles {
		for x := range rights {
			// One fake workload, a Deployment, stands for both.
			if all && !a.used[x] && x.resource != "statefulsets" {
				wrong = append(wrong, fmt.Sprintf("Role %s of the README grants what nothing asks for: %s (group %q)",
					name, x, x.group))
			}
		}
	}
	return wrong
}

// The rights that are asked for before a run are granted by the README's Roles, and the Role that --dry-run prints is
// the README's. That the Roles grant whatever a run asks for, and no more, is seen by [audit] from all tests of this
// package.
func TestRolesOfTheReadme(t *testing.T) {
	roles, err := readmeRoles()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range rights {
		if !roles["streamproof"][x] {
			t.Errorf("not granted: %s", x)
		}
	}
	newFake(t, hello)
	text, err := NewFleet(fourWorkers).Manifests()
	if err != nil {
		t.Fatal(err)
	}
	var printed role
	first, _, _ := strings.Cut(text, "---\n")
	if err := yaml.Unmarshal([]byte(first), &printed); err != nil || printed.Kind != "Role" {
		t.Fatalf("%v: %s", err, first)
	}
	if got, want := printed.rights(), roles[printed.Metadata.Name]; !maps.Equal(got, want) {
		t.Errorf("--dry-run prints a Role that grants %v\nthat of the README grants %v", got, want)
	}
	if got := printed.rights(); len(got) != len(fleetRights) {
		t.Errorf("the Role grants %v, asked for are %v", got, fleetRights)
	}
}
