package paste

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// nginxLine is how the code of a fix for nginx begins: the name of a directive that is of
// its modules for streams, and no assignment of a language.
var nginxLine = regexp.MustCompile(`^(?:proxy|fastcgi|uwsgi|scgi|grpc|gzip|send|keepalive|worker|client|limit|` +
	`chunked|lingering|reset|location|upstream|server)(?:_[a-z_]+)?(?:\s[^=(]*)?[;{]`)

// contexts are where directives of nginx may stand: one of them must take a fix.
var contexts = []string{
	"events {} http { upstream app { server 127.0.0.1:1; } server { location /s { proxy_pass http://app; %s } } }",
	"events {} http { upstream app { server 127.0.0.1:1; %s } }",
	"events {} http { server { %s } }",
	"events {} http { %s }",
	"events { %s } http {}",
	"%s events {} http {}",
	"%s http {}",
}

// Code checks the code of a fix: nothing of it is left out, and nginx's is nginx's. That
// of other products and of languages is read by themselves, in package reports.
func Code(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		before, _, _ := strings.Cut(line, "   #")
		if strings.Contains(before, "…") {
			return fmt.Errorf("an ellipsis stands in code: %s", line)
		}
		if strings.HasPrefix(line, program+" ") {
			if err := Command(line); err != nil {
				return err
			}
		}
	}
	if !nginxLine.MatchString(text) {
		return nil
	}
	var last error
	for _, c := range contexts {
		if last = nginx(fmt.Sprintf(c, text)); last == nil {
			return nil
		}
	}
	return fmt.Errorf("nginx does not take this anywhere (%w):\n%s", last, text)
}

// nginx parses a whole configuration, with the places and arguments of its directives.
func nginx(text string) error {
	parsed, err := crossplane.Parse("nginx.conf", &crossplane.ParseOptions{SingleFile: true, StopParsingOnError: true,
		ErrorOnUnknownDirectives: true,
		Open:                     func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	if err == nil && len(parsed.Errors) > 0 {
		err = parsed.Errors[0].Error
	}
	if err == nil && parsed.Status != "ok" {
		err = errors.New(parsed.Status)
	}
	return err
}
