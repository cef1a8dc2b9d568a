package stream

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strconv"
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

// Posted finds what is posted to a path, which may have a query: of all requests that end
// like it, the one that says most.
func Posted(path string) (r Request, ok bool) {
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimSuffix(path, "/")
	for _, known := range requests() {
		if strings.HasSuffix(path, known.Path) && len(known.Path) > len(r.Path) {
			r, ok = known, true
		}
	}
	return r, ok
}

// With is the body with the name of a model in it.
func (r Request) With(model string) string {
	return strings.Replace(string(r.Body), strconv.Quote(AnyModel), strconv.Quote(model), 1)
}

// ModelsAt is where the models are listed that a path serves, "" where nobody lists them.
func (r Request) ModelsAt(path string) string {
	if r.Models == "" {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimSuffix(strings.TrimSuffix(path, "/"), r.Path) + r.Models
}

// speaksNot finds models that answer no prompt, by the names that are usual for them.
var speaksNot = regexp.MustCompile(`(?i)embed|rerank|whisper|tts|dall-e|moderation|transcri|image`)

// ModelIn finds the first model that can be talked to in a list of models, as OpenAI,
// Anthropic (data, id) and Ollama, Cohere (models, name) write it; "" for none.
func ModelIn(list []byte) string {
	var l struct {
		Data   []struct{ ID string }
		Models []struct{ Name string }
	}
	if json.Unmarshal(list, &l) != nil {
		return ""
	}
	names := make([]string, 0, len(l.Data)+len(l.Models))
	for _, m := range l.Data {
		names = append(names, m.ID)
	}
	for _, m := range l.Models {
		names = append(names, m.Name)
	}
	for _, n := range names {
		if n != "" && !speaksNot.MatchString(n) {
			return n
		}
	}
	return ""
}
