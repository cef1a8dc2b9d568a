package harness

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// A TLS is how clients of an https URL prove whom they talk to, and who they are.
// The zero value is what browsers do: the system's authorities, the URL's name.
type TLS struct {
	Insecure   bool   `yaml:"insecure"`            // takes any certificate
	CACert     string `yaml:"cacert" value:"path"` // file of PEM: the authorities to trust, instead of the system's
	Cert       string `yaml:"cert" value:"path"`
	Key        string `yaml:"key" value:"path"` // files of PEM: the client's own certificate
	ServerName string `yaml:"sni"`              // asked for (SNI) and expected in the certificate; "" is the URL's host
}

// Config is t for package crypto/tls; nil for the zero value.
func (t TLS) Config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{InsecureSkipVerify: t.Insecure, ServerName: t.ServerName}
	if t.CACert != "" {
		pem, err := os.ReadFile(t.CACert)
		if err != nil {
			return nil, &UsageError{Place: "tls.cacert", Problem: "cannot read " + t.CACert + ": " + why(err),
				Fix: "check the path"}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &UsageError{Place: "tls.cacert", Problem: t.CACert + " holds no certificate in PEM",
				Fix: "give the file that begins with -----BEGIN CERTIFICATE-----"}
		}
	}
	switch {
	case t.Cert == "" && t.Key == "":
		return c, nil
	case t.Cert == "":
		return nil, &UsageError{Place: "tls.key", Problem: "a key without its certificate", Fix: "add --cert FILE"}
	}
	key := t.Key
	if key == "" {
		key = t.Cert // both in one file, as curl takes it
	}
	own, err := tls.LoadX509KeyPair(t.Cert, key)
	if err != nil {
		return nil, t.unusable(key, err)
	}
	c.Certificates = []tls.Certificate{own}
	return c, nil
}

// unusable says why a certificate and its key cannot be used: by what the files are.
func (t TLS) unusable(key string, err error) error {
	problem := fmt.Sprintf("cannot use %s with key %s: %s", t.Cert, key, why(err))
	fix := "give certificate and key in PEM, --cert FILE --key FILE"
	cert, _ := os.ReadFile(t.Cert)
	private, _ := os.ReadFile(key)
	_, derErr := x509.ParseCertificate(cert)
	holds := func(data []byte, what string) bool { return bytes.Contains(data, []byte("-----BEGIN "+what)) }
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		fix = "check the path"
	case derErr == nil:
		problem = t.Cert + " is a certificate in DER, and PEM is expected"
		fix = "convert it: openssl x509 -inform DER -in " + ShellWord(t.Cert) + " -out client.pem"
	case len(cert) > 1 && cert[0] == 0x30 && cert[1]&0x80 != 0:
		problem = t.Cert + " is no PEM; it looks like PKCS #12 (.p12, .pfx)"
		fix = "convert it: openssl pkcs12 -nodes -in " + ShellWord(t.Cert) + " -out client.pem, then --cert client.pem"
	case holds(private, "ENCRYPTED PRIVATE KEY"), bytes.Contains(private, []byte("Proc-Type: 4,ENCRYPTED")):
		problem = "the key in " + key + " is encrypted, and there is no prompt for its password"
		fix = "decrypt it into a file of its own: openssl pkey -in " + ShellWord(key) +
			" -out client.key, then --key client.key"
	case holds(cert, "CERTIFICATE") && t.Key == "":
		problem, fix = t.Cert+" holds a certificate and no key", "add --key FILE"
	}
	return &UsageError{Place: "tls.cert", Problem: problem, Fix: fix}
}

// ShellWord is a text in quotes, as a shell takes it for one word.
func ShellWord(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

// why is the cause of an error without the path that the line names already.
func why(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// accepts is what a client of a dialect says that it takes. The rest comes last, so
// that an error in another form is shown and not turned into 406.
func accepts(d stream.Dialect) string {
	switch {
	case d.Accept == "" || d.Format.Name == stream.Text.Name:
		return "*/*"
	case strings.Contains(d.Accept, "application/json"): // as the protocol asks for it, to the letter
		return d.Accept
	}
	return d.Accept + ", application/json;q=0.9, */*;q=0.1"
}

// AcceptAny is what is said where nobody knows yet in which form the answer comes.
const AcceptAny = "text/event-stream, application/x-ndjson, application/json;q=0.9, */*;q=0.1"

// addHeader sets the header fields that a client of the API would send and that are not
// there yet, and returns their names.
func addHeader(h http.Header, d stream.Dialect, body []byte) (added []string) {
	set := func(name, value string) {
		if _, given := h[name]; !given {
			h.Set(name, value)
			added = append(added, name)
		}
	}
	set("Accept", accepts(d))
	sample := sampleOf(string(body))
	if c := strings.TrimSpace(sample); c != "" && (c[0] == '{' || c[0] == '[') && json.Valid([]byte(sample)) {
		set("Content-Type", "application/json")
	}
	return added
}

// badJSON is the first mistake in a body that begins like JSON; nil where there is none.
// Several values, as of NDJSON, are no mistake.
func badJSON(body string) error {
	sample := sampleOf(body)
	if c := strings.TrimSpace(sample); c == "" || c[0] != '{' && c[0] != '[' {
		return nil
	}
	from := strings.NewReader(sample)
	d := json.NewDecoder(from)
	for {
		var v json.RawMessage
		err := d.Decode(&v)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			continue
		}
		at, why := int64(len(sample)), "unexpected end of JSON input"
		var bad *json.SyntaxError
		if errors.As(err, &bad) {
			at, why = bad.Offset, bad.Error()
		}
		before := sample[:max(0, min(at, int64(len(sample)))-1)]
		line := strings.LastIndexByte(before, '\n')
		return fmt.Errorf("line %d, column %d: %s", strings.Count(before, "\n")+1,
			utf8.RuneCountInString(before[line+1:])+1, why)
	}
}

// sampleOf is a body as one stream sends it, so that it parses as it will then. What is
// put in place is as long as the place, and places of variables stand for themselves.
func sampleOf(body string) string {
	ones := func(s string) string { return strings.Repeat("1", len(s)) }
	sample := body
	for _, p := range []string{"{nonce}", "{seq}", promptPlace, "{pause}", "{gap}", "{input_length}", "{output_length}"} {
		sample = strings.ReplaceAll(sample, p, ones(p))
	}
	return variable.ReplaceAllStringFunc(turnPlace.ReplaceAllStringFunc(sample, ones), ones)
}

// turnPlace are the places for a session in a body, and what is much like them.
var turnPlace = regexp.MustCompile(`\{turn\}|\{answer(?:\.([^{}"\s]*))?\}`)

// variable is ${NAME}, whose value is not looked at here: it may be secret.
var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// validRequest refuses a request that no client would send.
func (a *App) validRequest() error {
	s := &a.Stream
	if strings.ContainsFunc(s.Method, func(r rune) bool {
		return r > '~' || r <= ' ' || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r)
	}) {
		return &UsageError{Place: "method", Problem: fmt.Sprintf("%q is not an HTTP method", s.Method),
			Fix: "write one word, such as --method POST"}
	}
	if err := validHeaders(s.Headers); err != nil {
		return err
	}
	for name := range s.Headers {
		if strings.EqualFold(name, "Content-Type") {
			return nil
		}
	}
	if err := badJSON(s.Body); err != nil {
		return &UsageError{Place: "stream.body", Problem: "it begins like JSON, but is not valid: " + err.Error(),
			Fix: "correct it, or say what it is with --header 'Content-Type: text/plain'"}
	}
	return nil
}

// validHeaders refuses fields that cannot be sent, and one that is named twice, of which
// one would be lost. It does not show values, which may be secret.
func validHeaders(headers map[string]string) error {
	spelt := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		place := "stream.headers." + name
		value, err := expand(place, headers[name])
		other, twice := spelt[strings.ToLower(name)]
		switch {
		case err != nil:
			return err
		case !httpguts.ValidHeaderFieldName(name):
			return &UsageError{Place: place, Problem: "it is not a valid header name",
				Fix: "write letters, digits and hyphens, such as X-Api-Key"}
		case !httpguts.ValidHeaderFieldValue(value):
			return &UsageError{Place: place, Problem: "its value has a line break or another control character",
				Fix: "take it out; a variable may have one at its end, from a file with Windows line ends"}
		case twice:
			return &UsageError{Place: place, Problem: "the same header is also given as " + other, Fix: "leave one of them out"}
		}
		spelt[strings.ToLower(name)] = name
	}
	return nil
}

// promptPlace is where a stream's own prompt goes.
const promptPlace = "{prompt}"

// validValues refuses a request that asks for prompts that are not there, and
// prompts that nobody asks for.
func (a *App) validValues() error {
	s := &a.Stream
	places := []string{a.Path(), s.Body, s.PlainPath, s.PlainBody}
	for _, v := range s.Headers {
		places = append(places, v)
	}
	asks := false
	for _, p := range places {
		asks = asks || strings.Contains(p, promptPlace) || strings.Contains(p, url.PathEscape(promptPlace))
	}
	switch {
	case asks && len(s.Prompts) == 0:
		return &UsageError{Place: "stream.prompts", Problem: "the request has the place {prompt}, and there are no prompts",
			Fix: "add --prompts FILE, with one prompt a line"}
	case !asks && len(s.Prompts) > 0:
		return &UsageError{Place: "stream.prompts", Problem: "nothing in path, headers or body asks for a prompt",
			Fix: `write {prompt} where it belongs, as in --body '{"q": "{prompt}"}'`}
	}
	return nil
}

// validTLS refuses settings that could not be used, or would be for nothing.
func (a *App) validTLS() error {
	secure := strings.HasPrefix(a.URL, "https:") || strings.HasPrefix(a.Direct, "https:")
	if a.TLS != (TLS{}) && a.URL != "" && !secure && a.Stream.NoFollow { // a redirect may lead to https
		return &UsageError{Place: "tls", Problem: "settings of TLS, and the URL is not https",
			Fix: "write https:// in the URL, or leave them out"}
	}
	if a.TLS != (TLS{}) && a.URL == "" {
		return &UsageError{Place: "tls", Problem: "settings of TLS, and no https URL", Fix: "they go with --url https://…"}
	}
	if _, err := a.TLS.Config(); err != nil {
		return err
	}
	for from, to := range a.Resolve {
		if _, err := netip.ParseAddrPort(to); err != nil {
			return &UsageError{Place: "resolve", Problem: fmt.Sprintf("%q is no address for %s", to, from),
				Fix: "write HOST:PORT:ADDRESS, such as chat.test:443:127.0.0.1"}
		}
	}
	if len(a.Resolve) > 0 && a.URL == "" {
		return &UsageError{Place: "resolve", Problem: "an address for a host, and no URL that names it",
			Fix: "it goes with --url"}
	}
	return nil
}

// ParseResolve reads HOST:PORT:ADDRESS, as curl's --resolve. An IPv6 address may
// stand in brackets.
func ParseResolve(s string) (hostPort, addr string, err error) {
	bad := &UsageError{Place: "resolve", Problem: fmt.Sprintf("no host, port and address in %q", s),
		Fix: "write HOST:PORT:ADDRESS, such as chat.test:443:127.0.0.1"}
	host, rest, ok := strings.Cut(s, ":")
	port, ip, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" {
		return "", "", bad
	}
	a, err := netip.ParseAddr(strings.Trim(ip, "[]"))
	if _, perr := net.LookupPort("tcp", port); err != nil || perr != nil {
		return "", "", bad
	}
	return net.JoinHostPort(strings.ToLower(host), port), net.JoinHostPort(a.String(), port), nil
}

// IsLoopback reports whether a host of a URL is this machine by its name or address.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resolves reports whether the user resolves a host on this machine, by whichever port.
func (a *App) resolves(host string) bool {
	for from, to := range a.Resolve {
		name, _, err := net.SplitHostPort(from)
		at, _, err2 := net.SplitHostPort(to)
		if err == nil && err2 == nil && strings.EqualFold(name, host) && IsLoopback(at) {
			return true
		}
	}
	return false
}

// At is the address to connect to for a URL: the user's own for its host, or "" for
// what its name says.
func (a *App) At(u *url.URL) string {
	return a.Resolve[strings.ToLower(tap.Address(u))]
}

// Entrance is a hop with the address that the user named for its host.
func (a *App) Entrance(h stack.Hop) stack.Hop {
	u, err := url.Parse(h.URL)
	if err != nil || h.Dial != "" {
		return h
	}
	h.Dial, h.DialControl = a.At(u), a.At(u)
	return h
}

// Foreign reports whether a hop is the user's own server and nothing of ours before
// it.
func (a *App) Foreign(h stack.Hop) bool {
	u, err := url.Parse(h.URL)
	if err != nil || h.Dial != "" && h.Dial != a.At(u) {
		return false
	}
	own := func(raw string) bool { return raw != "" && h.URL == (&App{URL: raw}).Base() }
	return own(a.URL) || own(a.Direct)
}

// Hide takes the secrets that are sent to a out of a text of its own: a server may echo them.
func (a *App) Hide(text string) string { return a.secrets().Hide(text) }

func (a *App) secrets() secret.Secrets {
	s := &a.Stream
	return secret.Of(s.Headers, s.Body, a.URL, a.Direct, s.Path, s.PlainPath)
}
