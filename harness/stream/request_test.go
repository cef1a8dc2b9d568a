package stream

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPosted(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/chat/completions": "/chat/completions",
		"/openai/deployments/x/chat/completions?api-version=2024-10-21": "/chat/completions",
		"/v1/completions/": "/completions",
		"/v1/responses":    "/responses",
		"/v1/messages":     "/v1/messages",
		"/v1beta/models/x:streamGenerateContent?alt=sse": ":streamGenerateContent",
		"/model/x/converse-stream":                       "/converse-stream",
		"/api/chat":                                      "/api/chat",
		"/chat":                                          "",
		"/messages":                                      "",
		"/":                                              "",
	} {
		if r, ok := Posted(path); r.Path != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", path, r.Path, ok, want)
		}
	}
	for _, r := range requests() {
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil || !strings.HasPrefix(r.Source, "https://") || strings.ContainsAny(string(r.Body), "'\n") {
			t.Errorf("%s: %v %+v", r.Path, err, r)
		}
		if named := strings.Contains(string(r.Body), `"`+AnyModel+`"`); named != (r.Models != "") {
			t.Errorf("%s: whether it names a model and whether they are listed differ", r.Path)
		}
	}
	r, _ := Posted("/v1/chat/completions?x=1")
	if got := r.ModelsAt("/v1/chat/completions?x=1"); got != "/v1/models" {
		t.Errorf("models at %q", got)
	}
	if got := r.With(`a"b`); !json.Valid([]byte(got)) || !strings.Contains(got, `"a\"b"`) {
		t.Errorf("body %s", got)
	}
}

func TestModelIn(t *testing.T) {
	for list, want := range map[string]string{
		`{"object":"list","data":[{"id":"text-embedding-3"},{"id":"gpt-4o"}]}`: "gpt-4o",
		`{"models":[{"name":"llama3:8b","model":"llama3:8b"}]}`:                "llama3:8b",
		`{"data":[]}`: "", `[]`: "", "": "", `{"data":[{"id":"nomic-embed-text"}]}`: "",
	} {
		if got := ModelIn([]byte(list)); got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}
