package scenarios_test

import (
	"cmp"
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
	has                string                                       // the only model that it takes, "" for any
	key                string                                       // that it asks for as X-Api-Key, "" for none
	needs              string                                       // a header that every request must have, the list as well
	get                int                                          // how it turns GET away; 405 where it is not given
	allow              string                                       // beside it
	answer             func(w http.ResponseWriter, r *http.Request) // in place of a stream
	asked              []string
}

func (s *postedTo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	var request struct{ Model string }
	switch {
	case s.needs != "" && r.Header.Get(s.needs) == "":
		http.Error(w, "the header "+s.needs+" is required", http.StatusBadRequest)
	case r.URL.Path == s.list && r.Method == http.MethodGet:
		fmt.Fprint(w, s.models)
	case r.URL.Path != s.path:
		http.Error(w, "Cannot "+r.Method+" "+r.URL.Path, http.StatusNotFound)
	case r.Method != http.MethodPost:
		if s.allow != "" {
			w.Header().Set("Allow", s.allow)
		}
		http.Error(w, "Cannot GET "+r.URL.Path, cmp.Or(s.get, http.StatusMethodNotAllowed))
	case s.key != "" && r.Header.Get("X-Api-Key") != s.key:
		http.Error(w, "x-api-key is missing or wrong: "+r.Header.Get("X-Api-Key"), http.StatusUnauthorized)
	case json.Unmarshal(body, &request) != nil || s.has != "" && request.Model != s.has:
		http.Error(w, fmt.Sprintf("model %q not found", request.Model), http.StatusNotFound)
	case s.answer != nil:
		s.answer(w, r)
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
	t.Setenv("STREAMPROOF_TEST_SECRET", "topsecret")
	const chat, list = "/v1/chat/completions", "/v1/models"
	keyed := harness.Stream{Headers: map[string]string{"X-Api-Key": "wrong-key-123"}}
	one := func(code int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	for _, tt := range []struct {
		name   string
		server postedTo
		stream harness.Stream
		posts  int    // that are sent
		body   string // part of what is sent in the end
		err    string // part of the error, "" for none
	}{
		{"its model is found in its list", postedTo{path: chat, list: list, has: "m-1",
			models: `{"data":[{"id":"text-embedding-1"},{"id":"m-1"}]}`}, harness.Stream{}, 1, `"model": "m-1"`, ""},
		{"it takes any model, and lists none", postedTo{path: chat}, harness.Stream{}, 1, `"model": "MODEL"`, ""},
		{"it allows it", postedTo{path: chat, allow: "POST, OPTIONS"}, harness.Stream{}, 1, `"stream": true`, ""},
		{"it does not find what it has no method for", postedTo{path: chat, get: 404}, harness.Stream{}, 1,
			`"stream": true`, ""},
		{"it has no such method at all", postedTo{path: chat, get: 501}, harness.Stream{}, 1, `"stream": true`, ""},
		{"its list needs a header as well", postedTo{path: "/v1/messages", list: list, has: "m-1",
			models: `{"data":[{"id":"m-1"}]}`, needs: "anthropic-version"}, harness.Stream{}, 1, `"model": "m-1"`, ""},
		{"its list names a variable of ours", postedTo{path: chat, list: list,
			models: `{"data":[{"id":"${STREAMPROOF_TEST_SECRET}"}]}`}, harness.Stream{}, 1, `"model": "MODEL"`, ""},
		{"it has no such model", postedTo{path: chat, has: "m-1"}, harness.Stream{}, 1, "", `with a body that streamproof chose, was ` +
			`answered with 404 Not Found; the server says: model "MODEL" not found; put the name of a model in the place of ` +
			`MODEL: --body '{"model": "MODEL", "stream": true`},
		{"its first model does not chat", postedTo{path: chat, list: list, has: "b",
			models: `{"data":[{"id":"a"},{"id":"b"}]}`}, harness.Stream{}, 1, "", `; it also lists the models b`},
		{"it fails with what it is sent", postedTo{path: chat, answer: one(500, "no question")}, harness.Stream{}, 1, "",
			"with a body that streamproof chose, was answered with 500 Internal Server Error; the server says: no question; " +
				"put the name"},
		{"it answers with a document", postedTo{path: chat, answer: one(200, `{"id": 1}`)}, harness.Stream{}, 1, `"stream": true`,
			"the body that was posted asks for a stream already"},
		{"it takes no more", postedTo{path: chat, answer: one(429, "busy")}, harness.Stream{}, 1, "",
			"wait until the server takes"},
		{"it asks for a key", postedTo{path: chat, key: "k"}, harness.Stream{}, 1, "", "--header 'X-Api-Key: ${API_KEY}'"},
		{"it repeats a wrong key", postedTo{path: chat, key: "k"}, keyed, 1, "", "the server says: x-api-key is missing or wrong: " +
			"[x-api-key withheld]; "},
		{"the key is given", postedTo{path: chat, key: "k"}, harness.Stream{Headers: map[string]string{"X-Api-Key": "k"}}, 1,
			`"stream": true`, ""},
		{"it allows another method", postedTo{path: chat, allow: "PUT"}, harness.Stream{}, 0, "", "--method PUT"},
		{"its answer does not tell the last event", postedTo{path: "/api/chat", answer: hits}, harness.Stream{}, 2,
			`"parts"`, ""},
		{"the user chose the method", postedTo{path: chat}, harness.Stream{Method: "GET"}, 0, "", "--method POST --body '{"},
		{"the user wrote a body", postedTo{path: chat, has: "m-1"}, harness.Stream{Body: "{}"}, 1, "", "name a model"},
		{"nobody knows the path", postedTo{path: "/surveys/42/responses"}, harness.Stream{}, 0, "",
			`--method POST --body '{"q": "hi"}'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			srv := httptest.NewServer(&s)
			defer srv.Close()
			o := harness.Options{App: harness.App{URL: srv.URL + s.path, Stream: tt.stream}}
			var err error
			if o.Opener, err = scenarios.Opener(o.App); err != nil {
				t.Fatal(err)
			}
			told := 0
			f, err := recognise.Fill(t.Context(), &o, func(p *recognise.Posted) {
				if told++; len(s.asked) == 0 || slices.Contains(s.asked, "POST "+s.path) || !strings.Contains(p.String(), p.Body) {
					t.Errorf("told %q after %q", p, s.asked)
				}
			})
			var usage *harness.UsageError
			switch {
			case tt.err != "":
				if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
			case err != nil || !strings.Contains(o.App.Stream.Body, tt.body) || o.App.Method() != http.MethodPost:
				t.Errorf("%v: %+v %+v", err, f, o.App.Stream)
			}
			srv.Close() // so that asked is whole
			posts := 0
			for _, a := range s.asked {
				if a == "POST "+s.path {
					posts++
				}
			}
			if posts != tt.posts || told > 0 != (posts > 0 && tt.stream.Body == "") {
				t.Errorf("told %d times, asked %q, want %d POST", told, s.asked, tt.posts)
			}
		})
	}
}

// TestPostThatIsRedirectedToGet: most clients make GET of a POST that is redirected by 301.
func TestPostThatIsRedirectedToGet(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/real/v1/chat/completions", http.StatusMovedPermanently)
	})
	mux.HandleFunc("POST /real/v1/chat/completions", hits)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	o := harness.Options{App: harness.App{URL: srv.URL + "/v1/chat/completions"}}
	var err error
	if o.Opener, err = scenarios.Opener(o.App); err != nil {
		t.Fatal(err)
	}
	_, err = recognise.Fill(t.Context(), &o, nil)
	if err == nil || !strings.Contains(err.Error(), "redirects POST /v1/chat/completions in a way that makes it GET; ask there: "+
		srv.URL+"/real/v1/chat/completions") {
		t.Errorf("%v", err)
	}
}
