package harness

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Secrets are the values that must reach no file, log or report: what
// environment variables brought in, and the headers that carry credentials.
type Secrets struct {
	replace *strings.Replacer
	empty   bool // there are none
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// credential lists the headers whose values are secret however they were given.
var credential = map[string]bool{
	"authorization": true, "proxy-authorization": true, "cookie": true, "x-api-key": true, "api-key": true, "x-goog-api-key": true,
}

// expand puts environment variables in. A variable that is not set is an error:
// a stream sent without its key would fail for a reason that nobody sees.
func expand(place, s string) (string, error) {
	var missing string
	out := variable.ReplaceAllStringFunc(s, func(ref string) string {
		name := ref[2 : len(ref)-1]
		v, ok := os.LookupEnv(name)
		if !ok && missing == "" {
			missing = name
		}
		return v
	})
	if missing != "" {
		return "", &UsageError{Place: place, Problem: "environment variable " + missing + " is not set", Fix: "export it, or take ${" + missing + "} out"}
	}
	return out, nil
}

// secrets collects what must be kept out of everything we write.
func (a *App) secrets() (Secrets, error) {
	hidden := map[string]string{}
	note := func(raw string) {
		for _, ref := range variable.FindAllStringSubmatch(raw, -1) {
			hidden[os.Getenv(ref[1])] = "${" + ref[1] + "}"
		}
	}
	for k, v := range a.Stream.Headers {
		full, err := expand("stream.headers."+k, v)
		if err != nil {
			return Secrets{}, err
		}
		note(v)
		if credential[strings.ToLower(k)] && !variable.MatchString(v) {
			hidden[full] = "[" + strings.ToLower(k) + " withheld]"
			if _, token, ok := strings.Cut(full, " "); ok { // "Bearer abc": the token alone is as secret
				hidden[token] = "[" + strings.ToLower(k) + " withheld]"
			}
		}
	}
	if _, err := expand("stream.body", a.Stream.Body); err != nil {
		return Secrets{}, err
	}
	note(a.Stream.Body)
	return newSecrets(hidden), nil
}

// newSecrets replaces longer values first, so that a token inside a header does
// not leave the rest of it behind. Values of up to three letters are left
// alone: they would mangle the logs and protect nothing.
func newSecrets(hidden map[string]string) Secrets {
	values := make([]string, 0, len(hidden))
	for v := range hidden {
		if len(v) > 3 {
			values = append(values, v)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, v := range values {
		pairs = append(pairs, v, hidden[v])
	}
	return Secrets{replace: strings.NewReplacer(pairs...), empty: len(pairs) == 0}
}

var (
	userinfo = regexp.MustCompile(`//[^/?#@]*@`)
	keyParam = regexp.MustCompile(`(?i)([?&][^=&#]*(?:key|token|secret|passw|sig|auth)[^=&#]*=)[^&#]*`)
)

// PublicURL takes credentials out of a URL or a path with a query: a user and
// password, and parameters whose name says that they are one.
func PublicURL(u string) string {
	u = userinfo.ReplaceAllString(u, "//")
	return keyParam.ReplaceAllString(u, "${1}WITHHELD")
}

// Hide takes the secrets out of s.
func (s Secrets) Hide(text string) string {
	if s.replace == nil {
		return text
	}
	return s.replace.Replace(text)
}

// Scrub copies r to w line by line, without the secrets.
func (s Secrets) Scrub(w io.Writer, r *bufio.Reader) error {
	for {
		line, err := r.ReadString('\n')
		if _, werr := io.WriteString(w, s.Hide(line)); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Empty reports whether there is nothing to hide.
func (s Secrets) Empty() bool { return s.replace == nil || s.empty }
