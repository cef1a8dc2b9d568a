package stream

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A Request is what the reference of an API posts to its paths.
type Request struct {
	Path    string            `json:"path"`   // how they end
	Source  string            `json:"source"` // where that is documented
	Body    json.RawMessage   `json:"body"`   // a short one that asks for a stream; [AnyModel] stands for the model's name
	Headers map[string]string `json:"headers"`
	// Models is the path that lists the names of the models, in place of Path; "" where the
	// path names the model, or none is named.
	Models string `json:"models"`
}

// AnyModel stands in the body of a [Request] for the name of a model.
const AnyModel = "MODEL"

//go:embed requests.json
var requestFile []byte

var requests = sync.OnceValue(func() (all []Request) {
	if err := json.Unmarshal(requestFile, &all); err != nil {
		panic(err) // the file is embedded: a test reads it
	}
	return all
})

// Posted are the requests that may be posted to a path, which may have a query: those whose
// ending says most. Where there are several, those that list models come first.
func Posted(path string) (all []Request) {
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimSuffix(path, "/")
	for _, r := range requests() {
		switch {
		case !strings.HasSuffix(path, r.Path):
		case len(all) == 0 || len(r.Path) > len(all[0].Path):
			all = []Request{r}
		case len(r.Path) == len(all[0].Path):
			all = append(all, r)
		}
	}
	return all
}

// With is the body with the name of a model in it, one of [ModelsIn].
func (r Request) With(model string) string {
	return strings.Replace(string(r.Body), `"`+AnyModel+`"`, `"`+model+`"`, 1)
}

// Beside are the headers that go with the body, but for those that are sent already.
func (r Request) Beside(sent []string) map[string]string {
	beside := map[string]string{}
	for name, value := range r.Headers {
		if !slices.ContainsFunc(sent, func(s string) bool { return strings.EqualFold(s, name) }) {
			beside[name] = value
		}
	}
	return beside
}

// ModelsAt is where the models are listed that a path serves, with its query; "" where
// nobody lists them.
func (r Request) ModelsAt(path string) string {
	if r.Models == "" {
		return ""
	}
	path, query, asked := strings.Cut(path, "?")
	at := strings.TrimSuffix(strings.TrimSuffix(path, "/"), r.Path) + r.Models
	if asked {
		at += "?" + query
	}
	return at
}

// modelName is a name that may go into a request: a server chose it, so that it must mean
// nothing to JSON, to a shell, or to the places and variables of a body.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$`)

// speaksNot finds models that take no chat, by the names that are usual for them.
var speaksNot = regexp.MustCompile(`(?i)embed|minilm|\b(bge|gte|e5)-|rerank|whisper|\btts\b|dall-e|` +
	`moderation|transcri|\bimage|sora-|realtime|audio|davinci-002|babbage`)

// ModelsIn are the names of a list of models that may go into a request, those that take a
// chat first: as OpenAI, Anthropic (data, id), Ollama and Cohere (models, name) write it, or
// a bare array.
func ModelsIn(list []byte) []string {
	var l struct{ Data, Models json.RawMessage }
	if json.Unmarshal(list, &l) != nil {
		l.Data = list
	}
	var names []string
	for _, part := range []json.RawMessage{l.Data, l.Models} {
		var all []json.RawMessage
		if json.Unmarshal(part, &all) != nil {
			continue
		}
		for _, one := range all {
			var m struct{ ID, Name string }
			if json.Unmarshal(one, &m) != nil {
				continue
			}
			if n := cmp.Or(m.ID, m.Name); modelName.MatchString(n) {
				names = append(names, n)
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		switch x, y := speaksNot.MatchString(a), speaksNot.MatchString(b); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return names
}
