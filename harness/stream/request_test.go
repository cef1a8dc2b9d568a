package stream

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestPosted(t *testing.T) {
	const azure = "/openai/deployments/x/chat/completions?api-version=2024-10-21"
	for path, want := range map[string]string{
		"/v1/chat/completions": "/chat/completions", azure: "/chat/completions",
		"/v1/completions/": "/v1/completions", "/v1/responses": "/v1/responses", "/v1/messages": "/v1/messages",
		"/v1beta/models/x:streamGenerateContent?alt=sse": ":streamGenerateContent",
		"/model/x/converse-stream":                       "/converse-stream", "/api/chat": "/api/chat",
		"/chat": "", "/messages": "", "/surveys/42/responses": "", "/": "",
	} {
		all := Posted(path)
		if (len(all) > 0) != (want != "") || len(all) > 0 && all[0].Path != want {
			t.Errorf("%s: %+v, want %q", path, all, want)
		}
	}
	for _, r := range requests() {
		text := string(r.Body)
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil || !strings.HasPrefix(r.Source, "https://") ||
			strings.ContainsAny(r.Source, " ,") || strings.ContainsAny(text, "'\n") {
			t.Errorf("%s: %v %+v", r.Path, err, r)
		}
		if named := strings.Contains(text, `"`+AnyModel+`"`); named != (r.Models != "") {
			t.Errorf("%s: whether it names a model and whether they are listed differ", r.Path)
		}
	}
	if all := Posted("/api/chat"); len(all) != 2 || all[0].Models == "" || all[1].Models != "" {
		t.Errorf("/api/chat is of two APIs, and that of Ollama, which lists its models, comes first: %+v", all)
	}
	r := Posted("/v1/chat/completions?key=1")[0]
	if got := r.ModelsAt("/v1/chat/completions?key=1"); got != "/v1/models?key=1" {
		t.Errorf("models at %q", got)
	}
	if got := r.With("a/b:1"); !json.Valid([]byte(got)) || !strings.Contains(got, `"a/b:1"`) {
		t.Errorf("body %s", got)
	}
}

// A server chooses the names of its models: none may mean anything in a request but itself.
func TestModelsIn(t *testing.T) {
	for list, want := range map[string][]string{
		`{"object":"list","data":[{"id":"text-embedding-3"},{"id":"gpt-4o"}]}`:                        {"gpt-4o", "text-embedding-3"},
		`{"models":[{"name":"all-minilm"},{"name":"bge-m3"},{"name":"llama3:8b"}]}`:                   {"llama3:8b", "all-minilm", "bge-m3"},
		`[{"id":"meta-llama/Llama-3-8b"}]`:                                                            {"meta-llama/Llama-3-8b"},
		`{"data":[{"id":"m"}],"models":["a","b"]}`:                                                    {"m"},
		`{"data":[7,{"id":"m"}]}`:                                                                     {"m"},
		`{"data":[{"id":"${HOME}"},{"id":"m-{prompt}"},{"id":"a\u001b[2J"},{"id":"a\"b"},{"id":""}]}`: nil,
		`{"data":[{"id":"` + strings.Repeat("a", 201) + `"}]}`:                                        nil,
		`{"data":[]}`: nil, `{"data":{"id":"m"}}`: nil, `[]`: nil, "": nil, "<html>": nil,
	} {
		if got := ModelsIn([]byte(list)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}
