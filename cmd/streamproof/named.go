package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/harness/stack/settings"
	"github.com/streamproof/streamproof/reports"
)

// composed looks into the compose file that the user named, and for the service
// in it. Each scenario would only find the same again.
func composed(ctx context.Context, c stack.Compose) error {
	switch {
	case c == stack.Compose{}:
		return nil
	case c.File == "":
		return &harness.UsageError{Place: "app.service", Problem: fmt.Sprintf("service %q of no compose file", c.Service),
			Fix: "add compose: docker-compose.yml"}
	}
	file := filepath.ToSlash(c.File)
	if _, err := os.Stat(c.File); err != nil {
		return unread("app.compose", file, err)
	}
	services, err := container.Services(c.File)
	switch {
	case err != nil:
		return &harness.UsageError{Place: "app.compose", Problem: err.Error(), Fix: "correct that file"}
	case len(services) == 0:
		return &harness.UsageError{Place: "app.compose", Problem: file + " has no services",
			Fix: "name a compose file that has one"}
	case c.Service == "":
		return &harness.UsageError{Place: "app.compose", Problem: "no service of " + file + " is named",
			Fix: "add service: " + strings.Join(services, " or ")}
	case !slices.Contains(services, c.Service):
		return &harness.UsageError{Place: "app.service", Problem: fmt.Sprintf("no service %q in %s", c.Service, file),
			Fix: config.Suggest(c.Service, services)}
	}
	if _, err := container.CheckCompose(ctx, c); err != nil {
		return &harness.UsageError{Place: "app.compose", Problem: err.Error(), Fix: composeFix(err)}
	}
	return nil
}

// composeFix says what to do about an error in a compose file.
func composeFix(err error) string {
	var refused *container.Refused
	if errors.As(err, &refused) {
		return refused.Fix
	}
	return "correct that file"
}

// composeWarnings are those of Compose itself, such as of a variable that is not set, and
// of keys that are left out.
func composeWarnings(ctx context.Context, c stack.Compose) []string {
	if c == (stack.Compose{}) {
		return nil
	}
	warnings, err := container.CheckCompose(ctx, c)
	if err != nil {
		return nil // it was good a moment ago, and the run will say what is wrong now
	}
	return reports.OfCompose(warnings)
}

// gateways are the protocols that nginx speaks to apps which answer no HTTP themselves.
var gateways = []string{"fastcgi", "uwsgi", "scgi"}

// nginxReads parses the nginx.conf that the user named, and what it includes. What
// its directives mean is left to nginx. An app that it asks for path in another protocol
// than HTTP cannot be started and checked by us, who speak nothing else.
func nginxReads(path, asked, method string) error {
	const place = "edge.nginx_conf"
	if path == "" {
		return nil
	}
	var template *settings.Template
	c, err := settings.ReadNginx(path, os.LookupEnv)
	if err == nil {
		c.Method = method
	}
	switch {
	case err == nil && slices.Contains(gateways, c.Protocol(asked)):
		problem := fmt.Sprintf("%s passes %s on by %s_pass, and streamproof starts and checks apps over HTTP only",
			filepath.Base(path), asked, c.Protocol(asked))
		return &harness.UsageError{Place: place, Problem: problem,
			Fix: "start nginx and the app yourself, and test them with --url"}
	case err == nil:
		return nil
	case errors.As(err, &template):
		return &harness.UsageError{Place: place, Problem: template.Error(),
			Fix: "name the rendered file, or set them in the environment"}
	case errors.As(err, new(*fs.PathError)):
		return unread(place, filepath.ToSlash(path), err)
	default:
		return &harness.UsageError{Place: place, Problem: err.Error(), Fix: "correct that file; 'nginx -t' checks it"}
	}
}

// builds looks for the Dockerfile that the user's image is to be built from.
func builds(folder string) error {
	if folder == "" {
		return nil
	}
	file := filepath.Join(folder, "Dockerfile")
	if _, err := os.Stat(file); err != nil {
		return unread("app.build", filepath.ToSlash(file), err)
	}
	return nil
}

func unread(place, file string, err error) error {
	fix := "check the path"
	if errors.Is(err, fs.ErrPermission) {
		fix = "check its permissions"
	}
	return &harness.UsageError{Place: place, Problem: fmt.Sprintf("cannot read %s: %s", file, harness.Reason(err)),
		Fix: fix}
}
