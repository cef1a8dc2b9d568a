package diagnose

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Refusal is an answer that turned a request away, and what was asked.
type Refusal struct {
	Status       int
	Words        string // the start of its body
	Allow        string // methods that it names (RFC 9110 section 10.2.1), "" for none
	Asks         string // its WWW-Authenticate, or the scheme in it (RFC 9110 section 11.6.1); "" for none
	Method, Path string
	Sent         []string // names of the header fields that the user sent
	Body         bool     // there was one
}

// keyName finds the name of a header field for a key in the server's own words.
var keyName = regexp.MustCompile(`(?i)\b(?:x-[a-z0-9-]*(?:key|token|auth)[a-z0-9-]*|api-key)\b`)

// Mend is what of the command to change, as flags that can be pasted.
func (r Refusal) Mend() string {
	sent := func(name string) bool {
		return slices.ContainsFunc(r.Sent, func(s string) bool { return strings.EqualFold(s, name) })
	}
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return r.credentials(sent)
	case http.StatusNotFound, http.StatusGone:
		if r.Body && NamesModel([]byte(r.Words)) {
			return "name a model that the server has, in the body: --body @FILE"
		}
		return fmt.Sprintf("correct the path: the server has nothing at %s %s; ask for another one with "+
			"--path /PATH",
			r.Method, r.Path)
	case http.StatusMethodNotAllowed:
		return "use another method: --method " + r.otherMethod()
	case http.StatusNotAcceptable:
		return "name a media type that the server can send: --header 'Accept: application/json'"
	case http.StatusRequestEntityTooLarge:
		return "send a shorter body with --body @FILE, or raise the server's limit (nginx: client_max_body_size)"
	case http.StatusUnsupportedMediaType:
		if !r.Body {
			return "send the body that the server expects: " + r.body()
		}
		return "name the body's media type: --header 'Content-Type: application/json'"
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		if plainToTLS.MatchString(r.Words) {
			return "the server speaks TLS on this port: write https:// in the URL"
		}
		if !r.Body {
			mend := "send the body that the server asks for: " + r.body()
			if len(stream.Posted(r.Path)) == 0 {
				mend += ", or its query: --path '/PATH?q=hi'"
			}
			return mend
		}
		return "correct the body: --body @FILE; the server's words name what it misses"
	case http.StatusTooManyRequests:
		return "send fewer streams: --streams 2, or --rate 1/s --duration 30s"
	case http.StatusLengthRequired, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return "shorten the request: --path, --header"
	}
	return "compare the request with one that the server accepts: --method, --path, --header, --body"
}

// NamesModel reports whether a server says that it does not have the model that is asked
// for, as those of language models do.
func NamesModel(words []byte) bool { return noModel.Match(words) }

var noModel = regexp.MustCompile(`(?i)\bmodel\b[^<>\n]{0,200}\b(not (be )?found|not exist|unknown|invalid|` +
	`unavailable|not (available|support|loaded|served)|no access)|` +
	`\b(no such|unknown|invalid) model\b|` +
	`\bnot support[^<>\n]{0,40}\bchat\b|"model: `)

// plainToTLS is how servers say that they were sent HTTP where they expect TLS: Go,
// nginx, Apache.
var plainToTLS = regexp.MustCompile(`(?i)HTTP request (was sent )?to (an )?HTTPS|speaking plain HTTP to an SSL`)

func (r Refusal) credentials(sent func(string) bool) string {
	name := keyName.FindString(r.Words)
	switch {
	case name != "" && !sent(name):
		return fmt.Sprintf("send the key that the server asks for: --header '%s: ${API_KEY}'",
			http.CanonicalHeaderKey(name))
	case name != "":
		return fmt.Sprintf("the %s that was sent was not accepted: export the right value and run again",
			http.CanonicalHeaderKey(name))
	case !sent("Authorization") && r.asksFor("Basic"):
		return "send name and password: --header 'Authorization: Basic ${BASIC}', after: " +
			"export BASIC=$(printf %s 'NAME:PASSWORD' | base64)"
	case !sent("Authorization"):
		return "send credentials: --header 'Authorization: Bearer ${API_KEY}'"
	}
	return "the credentials that were sent were not accepted: export the right ones and run again"
}

// asksFor reports whether the server asks for a scheme, and not for Bearer as well.
func (r Refusal) asksFor(scheme string) bool {
	asks := strings.ToLower(r.Asks)
	return strings.HasPrefix(asks, strings.ToLower(scheme)) && !strings.Contains(asks, "bearer")
}

// otherMethod is one that the server allows, or the more likely one.
func (r Refusal) otherMethod() string {
	for _, m := range strings.FieldsFunc(r.Allow, func(c rune) bool { return c == ',' || c == ' ' }) {
		if m == http.MethodPost && !r.Body {
			return "POST " + r.body()
		}
		if m != http.MethodOptions && m != http.MethodHead && m != r.Method {
			return m
		}
	}
	if r.Method == http.MethodGet {
		return "POST " + r.body()
	}
	return http.MethodGet
}

// body is one that the path may ask for, as flags that can be pasted.
func (r Refusal) body() string {
	known := stream.Posted(r.Path)
	if len(known) == 0 {
		return `--body '{"q": "hi"}'`
	}
	return BodyFlags(string(known[0].Body), known[0].Beside(r.Sent))
}

// BodyFlags are a body and the headers that go with it as flags that can be pasted. None of
// them has a single quote in it.
func BodyFlags(body string, headers map[string]string) string {
	quoted := func(s string) string { return "'" + s + "'" }
	flags := "--body " + quoted(body)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		flags += " --header " + quoted(name+": "+headers[name])
	}
	return flags
}

// Fact is what to change, for whoever reads a cause.
func (r Refusal) Fact() fact { return record.Quoted(r.Mend()) }

// Said is the server's words in one line, "" where it said nothing.
func (r Refusal) Said() string { return strings.Join(strings.Fields(r.Words), " ") }

// refusal is the answer of a stream that was turned away.
func (v *view) refusal(g *verdict.Graded) Refusal {
	asked := &v.Run.Plan.Request
	r := Refusal{Status: g.Status, Words: g.Content.ErrorText, Allow: g.Header["Allow"],
		Asks: g.Header["Www-Authenticate"], Method: asked.Method, Body: asked.Body != "",
		Sent: slices.Collect(maps.Keys(asked.Headers))}
	if u, err := url.Parse(asked.URL); err == nil {
		r.Path = u.Path
	}
	return r
}

// words is what a server says where it turns a stream away.
func (v *view) words(g *verdict.Graded) fact {
	said := v.refusal(g).Said()
	if said == "" || g.Status < 400 {
		return fact{}
	}
	return fact{Kind: FactServerSays, Stream: g.Seq, Text: said}
}
