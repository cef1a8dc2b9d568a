package tap_test

import (
	"net/url"
	"testing"

	"github.com/streamproof/streamproof/harness/tap"
)

// Requests go to this machine and to where the user lets them; what a name is resolved to
// counts, on the port of the URL alone.
func TestReach(t *testing.T) {
	r := tap.Reach{Hosts: []string{"Mine.test", "192.0.2.7"}, Resolve: map[string]string{"chat.test:443": "127.0.0.1:8443",
		"localhost:81": "198.51.100.1:81", "far.test:80": "192.0.2.7:80", "mine.test:82": "198.51.100.1:82"}}
	for to, want := range map[string]struct {
		dial string
		ok   bool
	}{
		"http://127.0.0.1:9/":  {"127.0.0.1:9", true},
		"http://localhost/":    {"localhost:80", true},
		"http://localhost:81/": {"198.51.100.1:81", false},
		"https://chat.test/":   {"127.0.0.1:8443", true},
		"https://CHAT.test/":   {"127.0.0.1:8443", true},
		"http://chat.test/":    {"chat.test:80", false},
		"http://far.test/":     {"192.0.2.7:80", true},
		"http://mine.test/":    {"mine.test:80", true},
		"http://mine.test:82/": {"198.51.100.1:82", true},
		"http://stranger/":     {"stranger:80", false},
		"http://[::1]:9/":      {"[::1]:9", true},
	} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if dial, ok := r.Way(u); dial != want.dial || ok != want.ok {
			t.Errorf("%s leads to %s, %v; want %s, %v", to, dial, ok, want.dial, want.ok)
		}
	}
}
