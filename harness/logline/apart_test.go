package logline

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func before(prefix string, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = prefix + l
	}
	return out
}

// merged are the lines of several writers by turns, as they stand in one file.
func merged(writers ...[]string) (all []string) {
	for i := 0; len(all) < 400; i++ {
		more := false
		for _, w := range writers {
			if i < len(w) {
				all, more = append(all, w[i]), true
			}
		}
		if !more {
			break
		}
	}
	return all
}

func sample(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return lines[:min(len(lines), 60)]
}

// Files into which several programs wrote, in the forms of those that collect them, come
// apart; each line is in one piece, as its program wrote it.
func TestApart(t *testing.T) {
	access, failed := sample(t, "nginx-access-cut.log"), sample(t, "nginx-error-cut.log")
	gunicorn, uvicorn, puma := sample(t, "gunicorn.log"), sample(t, "uvicorn.log"), sample(t, "puma.log")
	redis := []string{"1:C 27 Nov 2026 19:40:21.000 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"}
	docker := "2026-11-27T19:40:22.603594598Z "
	var file []string
	for _, l := range failed {
		file = append(file, fmt.Sprintf(`{"log":%q,"stream":"stderr","time":"2026-11-27T19:40:22.1Z"}`, l+"\n"))
	}
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"nginx's two logs in one": {merged(access, failed), []string{"nginx_access", "nginx_error"}},
		"those of a container": {append([]string{"/docker-entrypoint.sh: Configuration complete; ready for start up"},
			merged(failed, access)...), []string{"nginx_access", "nginx_error"}},
		"with Docker's stamps": {before(docker, merged(failed, access)), []string{"nginx_access", "nginx_error"}},
		"Docker's own file":    {file, []string{"nginx_error"}},
		"Apache's": {merged(sample(t, "apache-access-cut.log"), sample(t, "apache-error-cut.log")),
			[]string{"apache_access", "apache_error"}},
		"lighttpd's": {merged(sample(t, "lighttpd-access-cut.log"), sample(t, "lighttpd-error-stall.log")),
			[]string{"lighttpd_access", "lighttpd_error"}},
		"docker compose": {merged(before("nginx-1  | ", access), before("nginx-1  | ", failed),
			before("app-1    | ", gunicorn), before("redis-1  | ", redis)),
			[]string{"app app-1", "app redis-1", "nginx_access nginx-1", "nginx_error nginx-1"}},
		"docker compose with stamps": {merged(before("edge-1  | "+docker, failed), before("app-1   | "+docker, uvicorn)),
			[]string{"app app-1", "nginx_error edge-1"}},
		"one service of compose": {before("web-1  | ", uvicorn), []string{"app web-1"}},
		"foreman": {merged(before("19:40:22 web.1    | ", puma), before("19:40:22 proxy.1  | ", failed)),
			[]string{"app web.1", "nginx_error proxy.1"}},
		"pm2": {merged(before("0|chat    | ", sample(t, "node.log")), before("1|jobs    | ", sample(t, "pino.log"))),
			[]string{"app chat", "app jobs"}},
		"the journal": {merged(before("Nov 27 19:40:22 host nginx[812]: ", failed),
			before("Nov 27 19:40:22 host gunicorn[77]: ", gunicorn),
			[]string{"Nov 27 19:40:22 host kernel: Out of memory: Killed process 77 (gunicorn)"}),
			[]string{"app", "nginx_error"}},
		"kubectl": {merged(before("[pod/chat-7d9f8b6c5d-x2x9k/nginx] ", failed),
			before("[pod/chat-7d9f8b6c5d-x2x9k/app] ", uvicorn)),
			[]string{"app", "nginx_error"}},
		"a container with a supervisor": {merged(failed, gunicorn), []string{"app", "nginx_error"}},
		"HAProxy in syslog": {append(sample(t, "haproxy-syslog.log"),
			before("Nov 27 19:40:22 host chat[77]: ", uvicorn)...), []string{"app", "haproxy"}},
	} {
		pieces := Apart("all.log", tt.lines)
		var got []string
		seen := map[int]bool{}
		for _, p := range pieces {
			got = append(got, strings.TrimSpace(string(p.Kind)+" "+p.Service))
			for j, i := range p.Index {
				if seen[i] || !strings.HasSuffix(tt.lines[i], p.Text[j]) && name != "Docker's own file" {
					t.Errorf("%s: line %d is %q", name, i, p.Text[j])
				}
				seen[i] = true
			}
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) || len(seen) != len(tt.lines) {
			t.Errorf("%s: %q with %d of %d lines, want %q", name, got, len(seen), len(tt.lines), tt.want)
		}
	}
}

// What one program wrote stays whole, and so does what only looks like the work of several.
func TestWhole(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), ".") {
			if got := Apart(f.Name(), sample(t, f.Name())); got != nil && f.Name() != "haproxy-syslog.log" {
				t.Errorf("%s: %d pieces, the first %+v", f.Name(), len(got), got[0].Reading)
			}
		}
	}
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprintf("r%d | took 3 ms", i)
	}
	for name, lines := range map[string][]string{
		"levels": {"info  | started", "error | failed", "warning | slow"},
		"loguru": {"2026-11-27 19:40:22.603 | INFO     | chat:reply:7 - fine",
			"2026-11-27 19:40:22.604 | ERROR    | chat:reply:9 - bad"},
		"request IDs": many,
		"a table":     {"| a | b |", "| 1 | 2 |"},
		"an app that cites": {"INFO:     started",
			`INFO:     nginx said: 2026/11/27 19:40:22 [error] 7#7: *1 upstream timed out`},
		"an app's access log":   merged(sample(t, "gunicorn.log"), sample(t, "gunicorn-access.log")),
		"nothing":               nil,
		"nothing but new lines": {"", ""},
	} {
		if got := Apart("app.log", lines); got != nil {
			t.Errorf("%s: %d pieces, the first %+v", name, len(got), got[0])
		}
	}
}

// FuzzApart: whatever a file holds, no line is in two pieces, and each stands there in its
// order and as its program wrote it.
func FuzzApart(f *testing.F) {
	for _, s := range []string{"nginx-1  | a\napp-1    | b", "2026-11-27T19:40:22.603594598Z a",
		`{"log":"a\n","stream":"stderr","time":"t"}`,
		"Nov 27 19:40:22 host nginx[812]: 2026/11/27 19:40:22 [error] 7#7: *1 x\nNov 27 19:40:22 host app[1]: b",
		"[pod/chat-7d9f8b6c5d-x2x9k/app] a", "19:40:22 web.1    | a", "0|chat    | a",
		"2026/11/27 19:40:22 [error] 7#7: *1 x\n127.0.0.1 - - [27/Nov/2026:19:40:21 +0000] \"GET / HTTP/1.1\" 200 4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		seen := map[int]bool{}
		for _, p := range Apart("all.log", lines) {
			if len(p.Index) == 0 || len(p.Text) != len(p.Index) || len(p.Stamp) != len(p.Index) || !slices.IsSorted(p.Index) {
				t.Fatalf("%+v", p)
			}
			for j, i := range p.Index {
				if seen[i] || !strings.HasSuffix(lines[i], p.Text[j]) && !strings.HasPrefix(lines[i], `{"log":"`) {
					t.Fatalf("line %d %q is %q", i, lines[i], p.Text[j])
				}
				seen[i] = true
			}
		}
	})
}
