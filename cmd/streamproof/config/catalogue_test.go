package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

// faultsOfCatalogue are the catalogue's faults in the language of files.
var faultsOfCatalogue = map[string]string{
	"tiny-packets": "{all: [{type: slices, link: edge, size: 7}, {type: slices, link: upstream, size: 7}]}",
	"latency":      "{type: latency, link: upstream, delay: 1s, jitter: 50ms}",
	"jitter":       "{type: jitter, link: upstream, delay: 600ms}",
	"bandwidth":    "{type: bandwidth, link: upstream, rate: 2kB, gap: 700ms}",
	"stall":        "{type: stall, link: edge}",
	"slow-start":   "{type: slow-start, link: upstream, delay: 800ms}",
	"slow-close":   "{type: slow-close, link: upstream, delay: 1s}",
	"reset": "{strikes: [{type: reset, link: edge, event: 5}, " +
		"{type: reset, link: upstream, event: 5}]}",
	"fin":                      "{strikes: [{type: fin, link: edge, event: 5}, {type: fin, link: upstream, event: 5}]}",
	"blackhole":                "{type: blackhole, link: upstream, event: 5}",
	"partition":                "{type: partition}",
	"memory-kill":              "{type: memory-kill}",
	"memory-kill-container":    "{type: memory-kill, whole: true}",
	"worker-kill":              "{type: kill-worker}",
	"worker-kill-default-edge": "{type: kill-worker}",
	"memory-squeeze":           "{type: squeeze, room: 4MiB}",
	"leak":                     "{type: watch}",
	"deadline":                 "{type: fin, link: upstream, age: 1s}",
	"keepalive-race":           "{type: refuse, link: upstream}",
	"cut":                      "{strikes: [" + cuts + "]}",
	"truncate": "{strikes: [{type: truncate, link: edge, event: 5}, " +
		"{type: truncate, link: upstream, event: 5}]}",
	"refused":        "{type: down, link: upstream}",
	"herd":           "{type: down, link: edge}",
	"drain":          "{type: drain}",
	"crash":          "{type: crash}",
	"pause":          "{type: pause}",
	"rolling-deploy": "{type: deploy}",
	"scale-out":      "{type: scale-out}",
	"scale-in":       "{type: scale-in}",
	"edge-reload":    "{type: edge-reload}",
}

const cuts = "{type: reset, link: edge, event: 5}, {type: fin, link: edge, event: 5}, " +
	"{type: reset, link: upstream, event: 5}, {type: fin, link: upstream, event: 5}"

// TestFilesCanSayWhatTheCatalogueSays writes each scenario of the catalogue as one of a
// file's own, and reads the same scenario back.
func TestFilesCanSayWhatTheCatalogueSays(t *testing.T) {
	for _, want := range scenarios.All() {
		t.Run(want.ID, func(t *testing.T) {
			want.ID = "own-" + want.ID
			// What only the list of scenarios shows.
			want.Symptom, want.LookAlike, want.Needs = "", "", nil
			text := written(t, want)
			f, err := Parse("c.yaml", []byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			list, err := f.Defined(nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			got := list[0]
			if g, w := fmt.Sprintf("%T %v", got.Fault, got.Fault), fmt.Sprintf("%T %v", want.Fault, want.Fault); g != w {
				t.Errorf("got the fault %s, want %s", g, w) // some hold functions, which nothing compares
			}
			got.Fault, want.Fault = nil, nil
			want.Policy.GapLimit = cmp.Or(want.Policy.GapLimit, 5*time.Second) // which a file leaves out
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v\n%s", got, want, text)
			}
		})
	}
}

// written is a file that defines s.
func written(t *testing.T, s harness.Scenario) string {
	t.Helper()
	define := keysAndValues(reflect.ValueOf(s))
	define["checks"] = s.Policy.Checks
	if text := faultsOfCatalogue[strings.TrimPrefix(s.ID, "own-")]; text != "" {
		var made any
		if err := yaml.Unmarshal([]byte(text), &made); err != nil {
			t.Fatal(err)
		}
		define["fault"] = made
	} else if s.Fault != nil {
		t.Fatalf("the fault %v is not in the table", s.Fault)
	}
	text, err := yaml.Marshal(map[string]any{"define": []any{define}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keysAndValues are what of a struct has a key, and is set.
func keysAndValues(v reflect.Value) map[string]any {
	all := map[string]any{}
	for _, k := range keysIn(v.Type()) {
		field := v.FieldByIndex(k.field.Index)
		if field.IsZero() {
			continue
		}
		switch x := field.Interface().(type) {
		case time.Duration:
			all[k.name] = x.String()
		case []string:
			all[k.name] = x
			if k.field.Tag.Get("value") == "env" {
				name, value, _ := strings.Cut(x[0], "=")
				all[k.name] = map[string]string{name: value}
			}
		default:
			if all[k.name] = x; field.Kind() == reflect.Struct {
				all[k.name] = keysAndValues(field)
			}
		}
	}
	return all
}

// TestEveryKeyHasAPurpose: editors show something for each key, and nothing is said of
// keys that there are not.
func TestEveryKeyHasAPurpose(t *testing.T) {
	said := map[string]int{}
	var visit func(reflect.Type)
	visit = func(at reflect.Type) {
		for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
			at = at.Elem()
		}
		if at.Kind() != reflect.Struct {
			return
		}
		for _, k := range keysIn(at) {
			name := k.owner.Name() + "." + k.name
			if purposes()[k.owner.Name()][k.name] == "" {
				t.Errorf("%s has no purpose in keys.yaml", name)
			}
			if said[name]++; said[name] == 1 {
				visit(k.field.Type)
			}
		}
	}
	visit(reflect.TypeFor[Config]())
	for owner, keys := range purposes() {
		for name := range keys {
			if said[owner+"."+name] == 0 {
				t.Errorf("keys.yaml has %s.%s, which is no key", owner, name)
			}
		}
	}
}

// TestAliases: what an alias stands for is read in its place, and a map takes over the
// keys of another one that it does not have.
func TestAliases(t *testing.T) {
	f, err := Parse("c.yaml", []byte(`
stream: {headers: &h {A: b}, body: &b "{}", plain_body: *b}
define:
- &first {id: one, shape: &s {events: 5, gap: 1s}, headers: *h}
- {<<: *first, id: two, shape: {<<: *s, events: 7}}
`))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Defined(nil)
	if err != nil {
		t.Fatal(err)
	}
	two := list[1]
	if f.Options().App.Stream.PlainBody != "{}" || two.ID != "two" || two.Headers["A"] != "b" ||
		two.Shape != (harness.Shape{Events: 7, Gap: time.Second}) {
		t.Errorf("got %+v", two)
	}
	for text, want := range map[string]string{
		"stream: {headers: *h}\n": `c.yaml:1:20: no anchor "h"; write &h before the value that is meant`,
	} {
		if _, err := Parse("c.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
