//go:build linux

package strangers

import (
	"fmt"
	"strings"
	"time"
)

// An Edge is a proxy with an ordinary configuration.
type Edge struct {
	Name  string
	Needs []string
	// Launders says that an answer that breaks off behind it, chunked, ends like a
	// whole one: a fact of the software, see TestEdgesThatLaunder.
	Launders bool
	// FastCGI says that it can speak to a FastCGI server.
	FastCGI bool
	// Logs are the kinds of its logs and their files.
	Logs map[string]string
	// write returns its files and commands. The first command is the edge.
	write func(s *Spec, w *wiring) (files map[string]string, commands [][]string)
}

// A wiring is where an edge listens and what stands behind it.
type wiring struct {
	dir    string
	listen int
	apps   []int // ports
}

// EdgeOptions are what a user may have set. The zero value is a sound edge for
// streams: where the defaults of the software are not, it is the least that its
// documentation asks for.
type EdgeOptions struct {
	Defaults bool          // proxy_pass and nothing else, or as little
	Gzip     bool          // compresses every type
	Buffers  bool          // nginx speaks HTTP/1.1 to the app, and its buffering is left on
	Timeout  time.Duration // between two reads from the app
	MaxConn  int           // connections to the app, or of the edge
	Deadline time.Duration // whole response (the Go proxy)
	Cap      int           // bytes of a response (the Go proxy)
	Collect  bool          // whole response before the first byte (the Go proxy)
}

func (w *wiring) each(format string) string {
	var b strings.Builder
	for i, p := range w.apps {
		fmt.Fprintf(&b, strings.ReplaceAll(format, "{n}", fmt.Sprint(i+1)), p)
	}
	return b.String()
}

// Edges are all that the matrix knows. "none" stands for the app alone.
var Edges = []*Edge{
	{Name: "none"},
	{Name: "nginx", Needs: []string{"nginx"}, FastCGI: true,
		Logs: map[string]string{"nginx_access": "access.log", "nginx_error": "error.log"}, write: nginx},
	{Name: "haproxy", Needs: []string{"haproxy"}, Logs: map[string]string{"haproxy": "edge.log"}, write: haproxy},
	{Name: "apache", Needs: []string{"apache2"}, FastCGI: true,
		Logs: map[string]string{"apache_access": "access.log", "apache_error": "error.log"}, write: apache},
	{Name: "caddy", Launders: true, Needs: []string{"caddy"}, Logs: map[string]string{"caddy": "edge.log"}, write: caddy},
	{Name: "lighttpd", Needs: []string{"lighttpd"}, FastCGI: true,
		Logs: map[string]string{"lighttpd_access": "access.log", "lighttpd_error": "error.log"}, write: lighttpd},
	{Name: "varnish", Needs: []string{"varnishd", "varnishncsa"}, Logs: map[string]string{"varnish": "access.log"},
		write: varnish},
	{Name: "goproxy", Needs: []string{"go"}, Logs: map[string]string{"proxy": "edge.log"}, write: goproxy},
}

func nginx(s *Spec, w *wiring) (map[string]string, [][]string) {
	o, connections, gzip, upstream := s.Options, 512, "", ""
	if o.MaxConn > 0 {
		connections = o.MaxConn
	}
	if o.Gzip {
		gzip = "gzip on; gzip_types text/event-stream text/plain application/x-ndjson;"
	}
	location := "proxy_pass http://app;"
	if !o.Defaults {
		location += " proxy_http_version 1.1; proxy_set_header Connection \"\";"
		if !o.Buffers {
			location += " proxy_buffering off;"
		}
	}
	if o.Timeout > 0 {
		location += fmt.Sprintf(" proxy_read_timeout %dms;", o.Timeout.Milliseconds())
	}
	if s.server.FastCGI {
		location = fmt.Sprintf("fastcgi_pass app; fastcgi_param SCRIPT_FILENAME %s/index.php; fastcgi_param REQUEST_URI "+
			"$request_uri;"+
			" fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type;"+
			" fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param QUERY_STRING $query_string;", w.dir)
		if !o.Defaults {
			location += " fastcgi_buffering off;"
		}
		if o.Timeout > 0 {
			location += fmt.Sprintf(" fastcgi_read_timeout %dms;", o.Timeout.Milliseconds())
		}
	}
	upstream = w.each(" server 127.0.0.1:%d;")
	conf := fmt.Sprintf(`daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections %[3]d; }
http {
    access_log %[1]s/access.log;
    client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3;
    uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
    %[4]s
    upstream app {%[5]s }
    server { listen 127.0.0.1:%[2]d; location / { %[6]s } }
}
`, w.dir, w.listen, connections, gzip, upstream, location)
	return map[string]string{"nginx.conf": conf},
		[][]string{{program("nginx"), "-p", w.dir, "-e", w.dir + "/error.log", "-c", w.dir + "/nginx.conf"}}
}

func haproxy(s *Spec, w *wiring) (map[string]string, [][]string) {
	timeout, maxconn := "50000", ""
	if s.Options.Timeout > 0 {
		timeout = fmt.Sprint(s.Options.Timeout.Milliseconds())
	}
	if s.Options.MaxConn > 0 {
		maxconn = fmt.Sprintf(" maxconn %d", s.Options.MaxConn)
	}
	more := ""
	if s.Options.Gzip {
		more += "    compression algo gzip\n"
	}
	if !s.Options.Defaults { // without it small events wait for up to 0.2 s
		more += "    option http-no-delay\n"
	}
	conf := fmt.Sprintf(`global
    log stdout format raw local0
    maxconn 2000
defaults
    log global
    mode http
    option httplog
    option dontlognull
    timeout connect 5000
    timeout client 50000
    timeout server %s
frontend web
    bind 127.0.0.1:%d
    default_backend app
backend app
    balance roundrobin
%s%s`, timeout, w.listen, more, w.each("    server app{n} 127.0.0.1:%d"+maxconn+"\n"))
	return map[string]string{"haproxy.cfg": conf}, [][]string{{program("haproxy"), "-db", "-f", w.dir + "/haproxy.cfg"}}
}

func apache(s *Spec, w *wiring) (map[string]string, [][]string) {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %[1]s\nServerName localhost\nPidFile %[1]s/apache.pid\nListen 127.0.0.1:%[2]d\nErrorLog "+
		"%[1]s/error.log\n", w.dir, w.listen)
	for _, m := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "proxy_fcgi", "proxy_balancer",
		"slotmem_shm", "lbmethod_byrequests", "filter", "deflate", "env"} {
		fmt.Fprintf(&b, "LoadModule %[1]s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	b.WriteString("LogFormat \"%h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\" combined\n")
	fmt.Fprintf(&b, "CustomLog %s/access.log combined\nStartServers 1\nServerLimit 8\nThreadsPerChild "+
		"25\nMaxRequestWorkers 200\nDefaultRuntimeDir %s\nMutex file:%s default\n", w.dir, w.dir, w.dir)
	if s.Options.Timeout > 0 {
		// ProxyTimeout takes whole seconds; the parameter of ProxyPass takes more.
		fmt.Fprintf(&b, "ProxyTimeout %d\n", max(1, int(s.Options.Timeout.Seconds())))
	}
	if s.Options.Gzip {
		b.WriteString("SetOutputFilter DEFLATE\n")
	}
	switch {
	case s.server.FastCGI:
		flush := " enablereuse=on flushpackets=on"
		if s.Options.Defaults {
			flush = ""
		}
		fmt.Fprintf(&b, "LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\nDocumentRoot %[2]s\nFallbackResource "+
			"/index.php\n"+
			"<Proxy \"fcgi://127.0.0.1:%[1]d/\"%[3]s>\n</Proxy>\n<FilesMatch \"\\.php$\">\nSetHandler "+
			"\"proxy:fcgi://127.0.0.1:%[1]d/\"\n</FilesMatch>\n", w.apps[0], w.dir, flush)
	case len(w.apps) > 1:
		fmt.Fprintf(&b, "<Proxy balancer://app>\n%s</Proxy>\nProxyPass / balancer://app/\n",
			w.each("BalancerMember http://127.0.0.1:%d\n"))
	default:
		fmt.Fprintf(&b, "ProxyPass / http://127.0.0.1:%d/\n", w.apps[0])
	}
	return map[string]string{"apache.conf": b.String()},
		[][]string{{program("apache2"), "-DFOREGROUND", "-f", w.dir + "/apache.conf"}}
}

func caddy(s *Spec, w *wiring) (map[string]string, [][]string) {
	var apps, inner, encode string
	for _, p := range w.apps {
		apps += fmt.Sprintf(" 127.0.0.1:%d", p)
	}
	if s.Options.Timeout > 0 {
		inner = fmt.Sprintf(" {\n\t\ttransport http {\n\t\t\tread_timeout %s\n\t\t}\n\t}", s.Options.Timeout)
	}
	if len(w.apps) > 1 {
		inner = " {\n\t\tlb_policy round_robin\n\t}"
	}
	if s.Options.Gzip {
		encode = "\tencode gzip\n"
	}
	conf := fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n}\n\nhttp://127.0.0.1:%d {\n\tbind "+
		"127.0.0.1\n\tlog\n%s\treverse_proxy%s%s\n}\n", w.listen, encode, apps, inner)
	return map[string]string{"Caddyfile": conf},
		[][]string{{program("caddy"), "run", "--adapter", "caddyfile", "--config", w.dir + "/Caddyfile"}}
}

func lighttpd(s *Spec, w *wiring) (map[string]string, [][]string) {
	var b strings.Builder
	fmt.Fprintf(&b, "server.modules = ( \"mod_proxy\", \"mod_fastcgi\", \"mod_accesslog\" )\nserver.bind = "+
		"\"127.0.0.1\"\nserver.port = %[2]d\nserver.document-root = \"%[1]s\"\n"+
		"server.errorlog = \"%[1]s/error.log\"\naccesslog.filename = \"%[1]s/access.log\"\nserver.upload-dirs = ( "+
		"\"%[1]s\" )\n", w.dir, w.listen)
	if !s.Options.Defaults {
		b.WriteString("server.stream-response-body = 2\n")
	}
	timeout := ""
	if s.Options.Timeout > 0 {
		timeout = fmt.Sprintf(", \"read-timeout\" => %d", max(1, int(s.Options.Timeout.Seconds())))
	}
	if s.server.FastCGI {
		fmt.Fprintf(&b, "fastcgi.server = ( \"/\" => (( \"host\" => \"127.0.0.1\", \"port\" => %d, \"check-local\" => "+
			"\"disable\", \"docroot\" => \"%s\"%s )) )\n",
			w.apps[0], w.dir, timeout)
		fmt.Fprintf(&b, "server.modules += ( \"mod_rewrite\" )\nurl.rewrite-once = ( \"^/(.*)$\" => "+
			"\"/index.php?route=$1\" )\n")
	} else {
		fmt.Fprintf(&b, "proxy.balance = \"round-robin\"\nproxy.server = ( \"\" => (%s) )\n",
			strings.TrimSuffix(w.each("( \"host\" => \"127.0.0.1\", \"port\" => %d"+timeout+" ),"), ","))
	}
	return map[string]string{"lighttpd.conf": b.String()},
		[][]string{{program("lighttpd"), "-D", "-f", w.dir + "/lighttpd.conf"}}
}

func varnish(s *Spec, w *wiring) (map[string]string, [][]string) {
	timeout := ""
	if s.Options.Timeout > 0 {
		timeout = fmt.Sprintf(" .between_bytes_timeout = %dms;", s.Options.Timeout.Milliseconds())
	}
	backends := w.each("backend app{n} { .host = \"127.0.0.1\"; .port = \"%d\";" + timeout + " }\n")
	director, use := "", ""
	if len(w.apps) > 1 {
		director = "import directors;\nsub vcl_init {\n    new pool = directors.round_robin();\n    " +
			"pool.add_backend(app1);\n    pool.add_backend(app2);\n}\n"
		use = "    set req.backend_hint = pool.backend();\n"
	}
	vcl := "vcl 4.1;\n" + backends + director + "sub vcl_recv {\n" + use + "    return (pass);\n}\n"
	if s.Options.Gzip {
		vcl += "sub vcl_backend_response { set beresp.do_gzip = true; }\n"
	}
	return map[string]string{"default.vcl": vcl}, [][]string{
		{program("varnishd"), "-F", "-j", "none", "-n", w.dir + "/varnish", "-a", fmt.Sprintf("127.0.0.1:%d", w.listen), "-f",
			w.dir + "/default.vcl", "-s", "malloc,32M"},
		{program("varnishncsa"), "-n", w.dir + "/varnish", "-w", w.dir + "/access.log", "-t", "10"},
	}
}

func goproxy(s *Spec, w *wiring) (map[string]string, [][]string) {
	argv := []string{s.built.proxy, "-listen", fmt.Sprintf("127.0.0.1:%d", w.listen), "-target",
		fmt.Sprintf("http://127.0.0.1:%d", w.apps[0])}
	if o := s.Options; o.Deadline > 0 {
		argv = append(argv, "-deadline", o.Deadline.String())
	} else if o.Cap > 0 {
		argv = append(argv, "-cap", fmt.Sprint(o.Cap))
	} else if o.Collect {
		argv = append(argv, "-collect")
	}
	return nil, [][]string{argv}
}
