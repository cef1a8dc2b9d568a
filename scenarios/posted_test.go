package scenarios_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/scenarios"
)

// A postedTo is a server of a language model: it takes POST at a path, with a model that it
// has, and remembers what it was asked.
type postedTo struct {
	path, list, models string
	has                string // the only model that it takes, "" for any
	key                string // that it asks for as X-Api-Key, "" for none
	notFound           bool   // how it turns GET away, as Express does
	asked              []string
}

func (s *postedTo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	var request struct{ Model string }
	switch {
	case r.URL.Path == s.list && r.Method == http.MethodGet:
		fmt.Fprint(w, s.models)
	case r.URL.Path != s.path, r.Method != http.MethodPost && s.notFound:
		http.Error(w, "Cannot "+r.Method+" "+r.URL.Path, http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		http.Error(w, "no", http.StatusMethodNotAllowed)
	case s.key != "" && r.Header.Get("X-Api-Key") != s.key:
		http.Error(w, "x-api-key is missing", http.StatusUnauthorized)
	case json.Unmarshal(body, &request) != nil || s.has != "" && request.Model != s.has:
		http.Error(w, fmt.Sprintf("model %q not found", request.Model), http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}`+"\n\n",
			`data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+
				"\n\ndata: [DONE]\n\n")
	}
}

// TestPostedToAKnownPath: an API whose reference says what its path takes is asked so, where
// the user gives nothing but the URL.
func TestPostedToAKnownPath(t *testing.T) {
	t.Parallel()
	const chat, list = "/v1/chat/completions", "/v1/models"
	for _, tt := range []struct {
		name   string
		server postedTo
		stream harness.Stream
		body   string // part of what is sent in the end
		err    string // part of the error, "" for none
	}{
		{"its model is found in its list", postedTo{path: chat, list: list, has: "m-1",
			models: `{"data":[{"id":"text-embedding-1"},{"id":"m-1"}]}`}, harness.Stream{}, `"model": "m-1"`, ""},
		{"it takes any model, and lists none", postedTo{path: chat}, harness.Stream{}, `"model": "MODEL"`, ""},
		{"it does not find what it has no method for", postedTo{path: chat, notFound: true}, harness.Stream{}, `"stream": true`, ""},
		{"it has no such model", postedTo{path: chat, has: "m-1"}, harness.Stream{}, "",
			`POST /v1/chat/completions was answered with 404 Not Found; the server says: model "MODEL" not found; correct the body ` +
				`that was sent: --body '{"model": "MODEL", "stream": true`},
		{"it asks for a key", postedTo{path: chat, key: "k"}, harness.Stream{}, "", "--header 'X-Api-Key: ${API_KEY}'"},
		{"the key is given", postedTo{path: chat, key: "k"}, harness.Stream{Headers: map[string]string{"X-Api-Key": "k"}},
			`"stream": true`, ""},
		{"the user chose the method", postedTo{path: chat}, harness.Stream{Method: "GET"}, "", "--method POST --body '{"},
		{"the user wrote a body", postedTo{path: chat, has: "m-1"}, harness.Stream{Body: "{}"}, "", "name a model"},
		{"nobody knows the path", postedTo{path: "/chat"}, harness.Stream{}, "", `--method POST --body '{"q": "hi"}'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.server
			srv := httptest.NewServer(&s)
			defer srv.Close()
			o := harness.Options{App: harness.App{URL: srv.URL + s.path, Stream: tt.stream}}
			var err error
			if o.Opener, err = scenarios.Opener(o.App); err != nil {
				t.Fatal(err)
			}
			f, err := recognise.Fill(t.Context(), &o)
			var usage *harness.UsageError
			switch {
			case tt.err != "":
				if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
			case err != nil || f.Dialect != "openai-chat" || !strings.Contains(o.App.Stream.Body, tt.body) ||
				o.App.Method() != http.MethodPost:
				t.Errorf("%v: %+v", err, o.App.Stream)
			}
			srv.Close() // so that asked is whole
			if posts := slices.Contains(s.asked, "POST "+s.path); posts != (tt.stream.Method == "" && s.path == chat) {
				t.Errorf("asked %q", s.asked)
			}
		})
	}
}
