package harness

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

func TestValidateNamesThePlaceAndTheFix(t *testing.T) {
	one := []Scenario{{ID: "control"}}
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"no scenario", Options{}, "scenarios: none is named; name at least one, or leave them out for the standard suite"},
		{"two apps", Options{Scenarios: one, App: App{Image: "a", URL: "http://127.0.0.1"}},
			"app: 2 of image, build, compose, command, url and kubernetes are given; name one"},
		{"no URL", Options{Scenarios: one, App: App{URL: "localhost:80", Stream: Stream{Dialect: "openai-chat"}}},
			`url: "localhost:80" is no http or https URL; write it like http://127.0.0.1:8000/chat`},
		{"stranger", Options{Scenarios: one, App: App{URL: "http://192.0.2.7/x", Stream: Stream{Dialect: "openai-chat"}}},
			"url: host 192.0.2.7 is not this machine, and load is not sent to strangers; if it is yours, add --allow-host 192.0.2.7"},
		{"loopback resolved to a stranger", Options{Scenarios: one, App: App{URL: "http://127.0.0.1:8000/x",
			Resolve: map[string]string{"127.0.0.1:8000": "192.0.2.7:8000"}, Stream: Stream{Dialect: "openai-chat"}}},
			"resolve: host 127.0.0.1 is resolved to 192.0.2.7, which is not this machine, and load is not sent to strangers; " +
				"if it is yours, add --allow-host 192.0.2.7"},
		{"app behind the edge resolved to a stranger", Options{Scenarios: one, App: App{URL: "http://127.0.0.1:8000/x",
			Direct: "http://localhost:9", Resolve: map[string]string{"localhost:9": "192.0.2.7:9"},
			Stream: Stream{Dialect: "openai-chat"}}},
			"direct: host localhost is resolved to 192.0.2.7, which is not this machine, and load is not sent to strangers; " +
				"if it is yours, add --allow-host 192.0.2.7"},
		{"resolved by another port", Options{Scenarios: one, App: App{URL: "https://chat.test/x",
			Resolve: map[string]string{"chat.test:80": "127.0.0.1:80"}, Stream: Stream{Dialect: "openai-chat"}}},
			"url: host chat.test is not this machine, and load is not sent to strangers; " +
				"resolve the URL's port: --resolve chat.test:443:127.0.0.1"},
		{"credentials in the URL", Options{Scenarios: one, App: App{URL: "http://me:pw@127.0.0.1/x",
			Stream: Stream{Dialect: "openai-chat"}}},
			"url: credentials in a URL are not sent; leave them out of it, and add --header 'Authorization: Basic ${BASIC}' " +
				`after: export BASIC=$(printf %s 'NAME:PASSWORD' | base64)`},
		{"a method that cannot be one", Options{Scenarios: one, App: App{URL: "http://127.0.0.1/x",
			Stream: Stream{Dialect: "openai-chat", Method: "GE T"}}},
			`method: "GE T" is not an HTTP method; write one word, such as --method POST`},
		{"a body that is nearly JSON", Options{Scenarios: one, App: App{URL: "http://127.0.0.1/x",
			Stream: Stream{Dialect: "openai-chat", Body: "{\"a\": 1,\n \"n\": \"{nonce}\",}"}}},
			"stream.body: it begins like JSON, but is not valid: line 2, column 17: invalid character '}' looking for beginning of " +
				"object key string; correct it, or say what it is with --header 'Content-Type: text/plain'"},
		{"a body that ends too early", Options{Scenarios: one, App: App{URL: "http://127.0.0.1/x",
			Stream: Stream{Dialect: "openai-chat", Body: `{"a": [1`}}},
			"stream.body: it begins like JSON, but is not valid: line 1, column 8: unexpected end of JSON input; correct it, or say " +
				"what it is with --header 'Content-Type: text/plain'"},
		{"dialect", Options{Scenarios: one, App: App{Stream: Stream{Dialect: "opneai-chat"}}},
			`dialect: unknown dialect "opneai-chat"; did you mean "openai-chat"?`},
		{"no terminal", Options{Scenarios: one, App: App{Stream: Stream{Dialect: "sse-generic"}}},
			"terminal: dialect sse-generic proves nothing without a terminal expression; say what its last event looks like, " +
				"as in --terminal 'data == [DONE]', or for a feed without an end how long to read it, as in --endless 10s,5"},
		{"proof of a text for a chat",
			Options{Scenarios: one,
				App: App{URL: "http://127.0.0.1/x", Stream: Stream{Dialect: "openai-chat", Sentinel: "END"}}},
			"sentinel: it proves that a plain text is whole, and the dialect is openai-chat; leave it out, or say --dialect text"},
		{"workers of an app of the user's",
			Options{Scenarios: one, App: App{URL: "http://127.0.0.1/x", Workers: 2, Stream: Stream{Dialect: "text"}}},
			"workers: only the built-in server is started with worker processes; leave it out, and tell your app itself: env, " +
				"or its command"},
		{"ledger", Options{Scenarios: one, App: App{Ledger: "/ledger"}},
			`app.ledger: "/ledger" does not say which stream; write it like /ledger?nonce={nonce}`},
		{"negative", Options{Scenarios: one, Load: Load{Streams: -1}}, "load.streams: -1 streams; ask for at least 1"},
		{"both models", Options{Scenarios: one, Load: Load{Streams: 1, Rate: 1, Duration: time.Second}},
			"load: both streams and rate are given; keep streams for a closed model, rate for an open one"},
		{"endless rate", Options{Scenarios: one, Load: Load{Rate: 1}},
			"load.duration: a rate needs a duration; add duration: 30s"},
		{"a fleet beside which there is no app", Options{Scenarios: one, Fleet: twoPods("kind")},
			"fleet: the app runs on this machine, where pods cannot reach it; name an app by url that pods can reach"},
		{"a fleet in another cluster than the app", Options{Scenarios: one, Fleet: twoPods("kind"),
			App: App{Stream: Stream{Dialect: "openai-chat"}, Kubernetes: stack.Kubernetes{Deployment: "chat", Service: "chat",
				Context: "prod"}}},
			`fleet.kubernetes.context: the pods that send are in context "kind", the app is in "prod": a Service is reached ` +
				"from its own cluster; name the same context in both, or name the app by a url that the pods can reach"},
		{"sabotage", Options{Scenarios: one, Sabotage: Sabotage{Name: "x"},
			App: App{URL: "http://127.0.0.1", Stream: Stream{Dialect: "openai-chat"}}},
			"sabotage: only the built-in server can be sabotaged; leave out the app, or the sabotage"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.o.Validate()
			var usage *UsageError
			if !errors.As(err, &usage) || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func twoPods(context string) Fleet { return Fleet{Kubernetes: FleetJob{Workers: 2, Context: context}} }

func TestFleetBesideTheApp(t *testing.T) {
	o := Options{Fleet: twoPods(""), App: App{Kubernetes: stack.Kubernetes{Deployment: "chat", Service: "chat",
		Context: "prod"}}}
	if err := o.ValidFleet(); err != nil || o.Beside().Kubernetes.Context != "prod" {
		t.Error(err, o.Beside())
	}
}

func TestValidateAllowsLoopbackAndNamedHosts(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:8000/chat", "http://localhost/", "http://[::1]:9/",
		"https://chat.example/v1"} {
		o := Options{Scenarios: []Scenario{{ID: "control"}}, AllowHosts: []string{"chat.example"},
			App: App{URL: url, Stream: Stream{Dialect: "openai-chat"}}}
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestUnsetVariableIsRefused(t *testing.T) {
	app := App{Stream: Stream{Headers: map[string]string{"X-Key": "${STREAMPROOF_NO_SUCH_VARIABLE}"}}}
	err := app.Validate()
	if err == nil ||
		!strings.Contains(err.Error(), "stream.headers.X-Key: environment variable STREAMPROOF_NO_SUCH_VARIABLE is not set") {
		t.Fatalf("got %v", err)
	}
}
