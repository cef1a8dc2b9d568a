package harness

import (
	"errors"
	"strings"
	"testing"
	"time"
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
			"workers: only the built-in origin is started with worker processes; leave it out, and tell your app itself: env, " +
				"or its command"},
		{"ledger", Options{Scenarios: one, App: App{Ledger: "/ledger"}},
			`app.ledger: "/ledger" does not say which stream; write it like /ledger?nonce={nonce}`},
		{"negative", Options{Scenarios: one, Load: Load{Streams: -1}}, "load.streams: -1 streams; ask for at least 1"},
		{"both models", Options{Scenarios: one, Load: Load{Streams: 1, Rate: 1, Duration: time.Second}},
			"load: both streams and rate are given; keep streams for a closed model, rate for an open one"},
		{"endless rate", Options{Scenarios: one, Load: Load{Rate: 1}},
			"load.duration: a rate needs a duration; add duration: 30s"},
		{"sabotage", Options{Scenarios: one, Sabotage: Sabotage{Name: "x"},
			App: App{URL: "http://127.0.0.1", Stream: Stream{Dialect: "openai-chat"}}},
			"sabotage: only the built-in origin can be sabotaged; leave out the app, or the sabotage"},
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
