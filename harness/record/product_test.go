package record

import "testing"

// An edge is named by what it says of itself, by its process or by nothing: never
// by a guess.
func TestProductOf(t *testing.T) {
	for _, tt := range []struct {
		fields map[string]string
		want   EdgeProduct
		sign   string
	}{
		{map[string]string{"Server": "nginx/1.22.1"}, EdgeNginx, "Server: nginx/1.22.1"},
		{map[string]string{"Server": "openresty/1.21"}, EdgeNginx, "Server: openresty/1.21"},
		{map[string]string{"Server": "Caddy, uvicorn"}, EdgeCaddy, "Server: Caddy, uvicorn"},
		{map[string]string{"Via": "1.1 Caddy", "Server": "uvicorn"}, EdgeCaddy, "Via: 1.1 Caddy"},
		{map[string]string{"Via": "1.1 varnish (Varnish/7.1)"}, EdgeVarnish, "Via: 1.1 varnish (Varnish/7.1)"},
		{map[string]string{"X-Varnish": "set"}, EdgeVarnish, "X-Varnish: set"},
		{map[string]string{"Server": "envoy"}, EdgeEnvoy, "Server: envoy"},
		{map[string]string{"Server": "istio-envoy"}, EdgeEnvoy, "Server: istio-envoy"},
		{map[string]string{"X-Envoy-Upstream-Service-Time": "set", "Server": "gunicorn"}, EdgeEnvoy,
			"X-Envoy-Upstream-Service-Time: set"},
		{map[string]string{"Server": "lighttpd/1.4.69"}, EdgeLighttpd, "Server: lighttpd/1.4.69"},
		{map[string]string{"Server": "Apache/2.4.57 (Debian)"}, EdgeApache, "Server: Apache/2.4.57 (Debian)"},
		{map[string]string{"Server": "awselb/2.0"}, EdgeALB, "Server: awselb/2.0"},
		{map[string]string{"Server": "cloudflare", "Cf-Ray": "set"}, EdgeCloudflare, "Cf-Ray: set"},
		{map[string]string{"Via": "1.1 google"}, "the Google load balancer", "Via: 1.1 google"},
		// The last entry of Via is nearest to the client.
		{map[string]string{"Via": "1.1 varnish, 1.1 Caddy"}, EdgeCaddy, "Via: 1.1 varnish, 1.1 Caddy"},
		// Somebody stands there, and does not say who.
		{map[string]string{"Via": "1.1 proxy-7"}, EdgeUnknown, "Via: 1.1 proxy-7"},
		// Servers of apps are no edges.
		{map[string]string{"Server": "uvicorn"}, EdgeUnknown, ""},
		{map[string]string{"Server": "Apache-Coyote/1.1"}, EdgeUnknown, ""},
		{map[string]string{"Server": "Werkzeug/2.2 Python/3.11"}, EdgeUnknown, ""},
		{map[string]string{"Server": "Jetty(11.0.15)"}, EdgeUnknown, ""},
		{nil, EdgeUnknown, ""},
	} {
		if p, sign := ProductOf(tt.fields); p != tt.want || sign != tt.sign {
			t.Errorf("%v: %q by %q, want %q by %q", tt.fields, p, sign, tt.want, tt.sign)
		}
	}
}

func TestProductOfAProcess(t *testing.T) {
	for name, want := range map[string]EdgeProduct{"haproxy": EdgeHAProxy, "nginx": EdgeNginx, "caddy": EdgeCaddy,
		"apache2": EdgeApache, "httpd": EdgeApache, "lighttpd": EdgeLighttpd, "varnishd": EdgeVarnish,
		"cache-main": EdgeVarnish, "traefik": EdgeTraefik, "envoy": EdgeEnvoy, "python3": EdgeUnknown, "node": EdgeUnknown,
		"gunicorn": EdgeUnknown, "docker-proxy": EdgeUnknown, "": EdgeUnknown} {
		if p := ProductNamed(name); p != want {
			t.Errorf("process %q: %q, want %q", name, p, want)
		}
	}
}

// The app stands alone at its hop only where we know what stands before it.
func TestAppAlone(t *testing.T) {
	attached := Run{Plan: Plan{App: App{AppURL, "http://127.0.0.1:8000"}}, Hops: []Hop{{Scenario: "a",
		Name: "app"}, {Scenario: "b", Name: "app"}, {Scenario: "b", Name: ForeignHop}}}
	ours := Run{Plan: Plan{App: App{AppCommand, "./app"}}}
	if attached.AppAlone("a") || !attached.AppAlone("b") || !ours.AppAlone("a") {
		t.Errorf("attached %t, with the edge as a hop of its own %t, ours %t", attached.AppAlone("a"), attached.AppAlone("b"),
			ours.AppAlone("a"))
	}
}
