// Package secret keeps values out of everything that is written: what environment
// variables brought in, and headers that carry credentials.
//
//  1. [Expand] puts environment variables in.
//  2. [Of] finds the secrets of a request; [Secrets.Hide] and [Secrets.Scrub] take them
//     out of a text and of a file, [PublicURL] takes credentials out of a URL.
package secret

import (
	"bufio"
	"cmp"
	"io"
	"net/url"
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
	"authorization": true, "proxy-authorization": true, "cookie": true, "x-api-key": true, "api-key": true,
	"x-goog-api-key": true,
}

// Variables are the names of the environment variables in s, each once.
func Variables(s string) (names []string) {
	for _, m := range variable.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// Expand puts environment variables in, and names the first one that is not set: a
// stream sent without its key would fail for a reason that nobody sees.
func Expand(s string) (full, missing string) {
	full = variable.ReplaceAllStringFunc(s, func(ref string) string {
		name := ref[2 : len(ref)-1]
		v, ok := os.LookupEnv(name)
		if !ok && missing == "" {
			missing = name
		}
		return v
	})
	return full, missing
}

// Of finds the secrets of a request as the user wrote it: its headers, its body, and the
// URLs or paths that it may have.
func Of(headers map[string]string, body string, urls ...string) Secrets {
	hidden := map[string]string{}
	note := func(raw string) {
		for _, ref := range variable.FindAllStringSubmatch(raw, -1) {
			hidden[os.Getenv(ref[1])] = "${" + ref[1] + "}"
		}
	}
	for k, v := range headers {
		note(v)
		if credential[strings.ToLower(k)] && !variable.MatchString(v) {
			hidden[v] = "[" + strings.ToLower(k) + " withheld]"
			if _, token, ok := strings.Cut(v, " "); ok { // "Bearer abc": the token alone is as secret
				hidden[token] = "[" + strings.ToLower(k) + " withheld]"
			}
		}
		if credential[strings.ToLower(k)] { // the pairs of a cookie that no variable brings in
			for _, pair := range strings.Split(v, ";") {
				if _, value, ok := strings.Cut(pair, "="); ok && !variable.MatchString(value) {
					hidden[value] = "[" + strings.ToLower(k) + " withheld]"
				}
			}
		}
	}
	note(body)
	for _, u := range urls {
		for _, m := range keyParam.FindAllStringSubmatch(u, -1) {
			for _, value := range []string{m[2], unescaped(m[2])} {
				if looksSecret(value) {
					hidden[value] = Withheld
				}
			}
		}
	}
	return newSecrets(hidden)
}

func unescaped(value string) string {
	plain, err := url.QueryUnescape(value)
	if err != nil {
		return value
	}
	return plain
}

// looksSecret tells a key from a word such as "true", which stands in many texts.
func looksSecret(value string) bool {
	return !strings.Contains(value, "{") && (len(value) >= 12 || strings.ContainsAny(value, "0123456789"))
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
	keyParam = regexp.MustCompile(`(?i)([?&][^=&#]*(?:key|token|secret|passw|sig|auth)[^=&#]*=)([^&#]*)`)
)

// Withheld stands in the place of a key in a URL.
const Withheld = "WITHHELD"

// PublicURL takes credentials out of a URL or a path with a query: a user and
// password, and parameters whose name says that they are one.
func PublicURL(u string) string {
	u = userinfo.ReplaceAllString(u, "//")
	return keyParam.ReplaceAllString(u, "${1}"+Withheld)
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
