package logline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The forms of collectors and loggers as they are met: the pieces in the order of their
// kinds, with the number of their lines and the text of their first; none where the file
// stays whole.
func TestFormats(t *testing.T) {
	const (
		access  = `172.18.0.1 - - [27/Nov/2026:19:40:22 +0000] "GET /chat HTTP/1.1" 200 74 "-" "curl"`
		failed  = `2026/11/27 19:40:22 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading upstream`
		info    = `INFO:     Application startup complete.`
		boom    = `ERROR:    Exception in ASGI application`
		redis   = `1:M 27 Nov 2026 19:40:22.000 * Background saving started by pid 27`
		iso     = `2026-11-27T19:40:22.603594598Z `
		cri     = `2026-11-27T19:40:22.603594598+01:00 stderr F `
		httplog = `172.18.0.1:50212 [27/Nov/2026:19:40:17.250] front back/s1 0/0/1/3/5000 200 742 - - sD-- ` +
			`1/1/1/1/0 0/0 "GET /chat HTTP/1.1"`
	)
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"compose v1": {[]string{"web_1    | " + info, "redis_1  | " + redis, "web_1    | " + boom},
			[]string{"app redis_1 1 " + redis, "app web_1 2 " + info}},
		"compose v1 in colours": {[]string{"\x1b[36mweb_1    |\x1b[0m " + info,
			"\x1b[33mredis_1  |\x1b[0m " + redis, "\x1b[36mweb_1    |\x1b[0m   File \"/srv/a.py\", line 3"},
			[]string{"app redis_1 1 " + redis, "app web_1 2 " + info}},
		"compose v2 in colours": {[]string{"\x1b[36mweb-1    | \x1b[0m" + info, "\x1b[33mredis-1  | \x1b[0m" + redis},
			[]string{"app redis-1 1 " + redis, "app web-1 1 " + info}},
		"container_name": {[]string{"MyChat      | " + info, "chat-redis  | " + redis, "MyChat      | "},
			[]string{"app MyChat 2 " + info, "app chat-redis 1 " + redis}},
		"syslog inside of compose": {[]string{"web-1   | Nov 27 19:40:22 host chat[7]: " + boom,
			"web-1   | Nov 27 19:40:22 host chat[7]: x",
			"jobs-1  | Nov 27 19:40:22 host chat[7]: " + boom},
			[]string{"app jobs-1 1 Nov 27 19:40:22 host chat[7]: " + boom,
				"app web-1 2 Nov 27 19:40:22 host chat[7]: " + boom}},
		"foreman in a container": {[]string{iso + "19:40:22 web.1  | " + info, iso + "19:40:22 jobs.1 | " + boom},
			[]string{"app jobs.1 1 " + boom, "app web.1 1 " + info}},
		"what compose says itself": {append([]string{
			`time="2026-11-27T19:40:22Z" level=warning msg="the attribute version is obsolete"`,
			"Attaching to web-1, redis-1"}, append(before("web-1    | ", slices.Repeat([]string{info}, 20)),
			"redis-1  | "+redis)...),
			[]string{"app redis-1 1 " + redis, "app web-1 20 " + info}},
		"empty lines": {[]string{"app-1  |", "app-1  | ", "app-1  | " + boom}, []string{"app app-1 3 "}},
		"compose -t": {[]string{"app-1  | " + iso + info, "app-1  | 2026-11-27T19:40:22.603594598Z"},
			[]string{"app app-1 2 " + info}},
		"swarm": {[]string{"chat_app.1.x8d7f6g5h4j3k2l1m0n9b8v7c@node1    | " + info,
			"chat_redis.1.a8d7f6g5h4j3k2l1m0n9b8v7c@node2  | " + redis},
			[]string{"app chat_app.1 1 " + info, "app chat_redis.1 1 " + redis}},
		"overmind": {[]string{"\x1b[1;38;5;2mweb    \x1b[0m| " + info, "\x1b[1;38;5;3mworker \x1b[0m| done"},
			[]string{"app web 1 " + info, "app worker 1 done"}},
		"foreman in colours": {[]string{"\x1b[36m19:40:22 web.1    | \x1b[0m" + info,
			"\x1b[33m19:40:22 worker.1 | \x1b[0mdone"},
			[]string{"app web.1 1 " + info, "app worker.1 1 done"}},
		"pm2 with times": {[]string{"0|chat api  | 2026-11-27T19:40:22: started",
			"1|jobs      | 2026-11-27T19:40:22: done"}, []string{"app chat api 1 2026-11-27T19:40:22: started",
			"app jobs 1 2026-11-27T19:40:22: done"}},
		"CRI": {[]string{cri + failed, cri + access, cri}, []string{"nginx_access  1 " + access,
			"nginx_error  2 " + failed}},
		"one app's CRI":  {[]string{cri + info, cri + boom}, []string{"app  2 " + info}},
		"docker logs -t": {[]string{iso + info, iso + boom}, []string{"app  2 " + info}},
		"Docker's file": {[]string{`{"log":"INFO:     up\n","stream":"stderr","time":"2026-11-27T19:40:22.1Z"}`},
			[]string{"app  1 INFO:     up"}},
		"Fluent Bit": {[]string{`{"log":"INFO:     up\n","stream":"stderr","time":"2026-11-27T19:40:22.1Z",` +
			`"pod_name":"chat-7d9f8b6c5d-x2x9k"}`}, nil},
		"an app's JSON": {[]string{`{"log":"failed","level":"error","time":"2026-11-27T19:40:22.1Z"}`}, nil},
		"journalctl":    {before("Nov 27 19:40:22 host gunicorn[77]: ", []string{info, boom}), nil},
		"journalctl exact": {append(before("Nov 27 19:40:22.603594 host nginx[8]: ", []string{failed, access}),
			"Nov 27 19:40:22.603594 host chat[77]: "+boom),
			[]string{"app  1 Nov 27 19:40:22.603594 host chat[77]: " + boom, "nginx_access  1 " + access,
				"nginx_error  1 " + failed}},
		"journalctl short-full": {[]string{"Fri 2026-11-27 19:40:22 UTC host nginx[8]: " + failed,
			"Fri 2026-11-27 19:40:22 UTC host chat[77]: " + boom},
			[]string{"app  1 Fri 2026-11-27 19:40:22 UTC host chat[77]: " + boom, "nginx_error  1 " + failed}},
		"HAProxy's states in syslog": {[]string{
			"2026-11-27T19:40:22.603594+00:00 host haproxy[12]: backend app has no server available!",
			"2026-11-27T19:40:22.603594+00:00 host chat[77]: " + boom,
			"2026-11-27T19:40:22.603594+00:00 host chat[77]: " + info},
			[]string{"app  2 2026-11-27T19:40:22.603594+00:00 host chat[77]: " + boom,
				"haproxy  1 backend app has no server available!"}},
		"HAProxy's own": {[]string{"[NOTICE]   (1) : New worker (8) forked", httplog,
			"Server back/s1 is DOWN, reason: Layer4 connection problem"}, nil},
		"HAProxy in compose": {[]string{"lb-1   | " + httplog, "lb-1   | backend back has no server available!",
			"app-1  | " + info},
			[]string{"app app-1 1 " + info, "haproxy lb-1 2 " + httplog}},
		"ingress-nginx": {[]string{"I1127 19:40:22.123456       7 controller.go:190] Configuration changes detected",
			"I1127 19:40:22.123456       7 main.go:1] x", failed, access},
			[]string{"nginx_access  1 " + access,
				"nginx_error  3 I1127 19:40:22.123456       7 controller.go:190] Configuration changes detected"}},
		"a trace that nginx cites": {[]string{`2026/11/27 19:40:22 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: ` +
			`PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3`,
			"Stack trace:", "#0 {main}",
			`  thrown in /srv/a.php on line 3" while reading response header from upstream`}, nil},
		"nginx that writes JSON": {[]string{failed,
			`{"time":"2026-11-27T19:40:22+00:00","status":200,"request_uri":"/chat"}`,
			`{"time":"2026-11-27T19:40:22+00:00","status":504,"request_uri":"/chat"}`},
			[]string{`access  2 {"time":"2026-11-27T19:40:22+00:00","status":200,"request_uri":"/chat"}`,
				"nginx_error  1 " + failed}},
		"edges by their names": {[]string{
			`nginx-1         | {"time":"2026-11-27T19:40:22+00:00","status":200,"request_uri":"/chat"}`,
			"apache-kafka-1  | [2026-11-27 19:40:22,603] INFO started (kafka.server)",
			"nginx-2         | " + access, "apache-db-1     | ready"},
			[]string{"app apache-kafka-1 1 [2026-11-27 19:40:22,603] INFO started (kafka.server)",
				"nginx_access nginx-2 1 " + access, "proxy apache-db-1 1 ready",
				`proxy nginx-1 1 {"time":"2026-11-27T19:40:22+00:00","status":200,"request_uri":"/chat"}`}},
		"services that only write of requests": {[]string{"front-1  | " + access, "front-1  | ",
			"api-1    | " + access, "api-1    | [2026-11-27 19:40:22 +0000] [9] [ERROR] boom",
			"api-1    | " + access, `go-1     | {"time":"2026-11-27T19:40:22+00:00","status":200,"path":"/chat"}`},
			[]string{`access front-1 2 ` + access,
				`access go-1 1 {"time":"2026-11-27T19:40:22+00:00","status":200,"path":"/chat"}`,
				"app api-1 3 " + access}},
		"nginx and PHP-FPM": {[]string{failed, access, "[27-Nov-2026 19:40:22] NOTICE: fpm is running, pid 8",
			"Stack trace:", `172.18.0.3 -  27/Nov/2026:19:40:22 +0000 "GET /index.php HTTP/1.1" 200`},
			[]string{"access  2 " + access, "app  2 [27-Nov-2026 19:40:22] NOTICE: fpm is running, pid 8",
				"nginx_error  1 " + failed}},
		"PHP in Apache": {[]string{access, access, access,
			"[Fri Nov 27 19:40:22.123456 2026] [mpm_prefork:notice] [pid 1] AH00163: resuming normal operations",
			"[27-Nov-2026 19:40:22 UTC] PHP Fatal error:  Uncaught Exception: boom"},
			[]string{"access  3 " + access,
				"apache_error  1 [Fri Nov 27 19:40:22.123456 2026] [mpm_prefork:notice] [pid 1] AH00163: resuming normal operations",
				"app  1 [27-Nov-2026 19:40:22 UTC] PHP Fatal error:  Uncaught Exception: boom"}},
		"an app that speaks once as nginx": {[]string{failed, "chat started", "request nonce-1", "request nonce-2"},
			[]string{"app  3 chat started", "nginx_error  1 " + failed}},
		"names of loggers": {[]string{"uvicorn.error   | INFO | started", "chat.reply      | INFO | fine",
			"sqlalchemy.pool | WARN | slow"}, nil},
		"parts of an app":    {[]string{"db | connected", "http | listening", "auth | expired"}, nil},
		"levels in capitals": {[]string{"INFO     | started", "ERROR    | failed", "WARNING  | slow"}, nil},
		"IDs of requests": {[]string{"3fa9c1b2e7d08a4f  | start", "91be07ca53fd2e60  | start",
			"7cc0de81aa24b9f3  | start"}, nil},
		"Rust": {[]string{"2026-11-27T19:40:22.603594Z ERROR chat::reply: boom",
			"2026-11-27T19:40:22.603594Z  INFO nginx: fine"}, nil},
		"Rails": {[]string{"[3fa9c1b2] Started GET \"/chat\" for 127.0.0.1",
			"[3fa9c1b2] Completed 200 OK"}, nil},
		"pino-pretty": {[]string{"[19:40:22.603] INFO (77): request nonce-3", `    req: { "id": 1 }`},
			nil},
		"Spring": {[]string{"2026-11-27T19:40:22.603+01:00  INFO 1 --- [nio-8080-exec-1] c.e.Chat : fine"}, nil},
		"honcho's own": {[]string{"19:40:22 system | web.1 started (pid=77)",
			"19:40:22 web.1  | " + info}, nil},
		"supervisord": {[]string{"2026-11-27 19:40:22,603 INFO spawned: 'chat' with pid 8", boom}, nil},
		"Traefik beside its log": {[]string{`time="2026-11-27T19:40:22Z" level=info msg="Configuration loaded"`,
			`172.18.0.1 - - [27/Nov/2026:19:40:22 +0000] "GET /chat HTTP/1.1" 200 74 "-" "-" 1 ` +
				`"chat@docker" "http://172.18.0.3:80" 5ms`}, nil},
	} {
		var got []string
		for _, p := range Apart("all.log", tt.lines) {
			got = append(got, fmt.Sprintf("%s %s %d %s", p.Kind, p.Service, len(p.Index), p.Text[0]))
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func BenchmarkApart(b *testing.B) {
	lines := slices.Repeat([]string{"2026-11-27 19:40:22 chat: a line without any mark, as many apps write them, " +
		"that goes on for a while"}, 40000)
	for b.Loop() {
		Apart("all.log", lines)
	}
}
