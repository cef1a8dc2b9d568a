package settings

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
)

// gunicornFile is what gunicorn reads where nobody names a file.
const gunicornFile = "gunicorn.conf.py"

// configure puts what gunicorn's file says over its defaults. Where the file
// cannot be read, nothing is known.
func (p Place) configure(set map[string]string, file string) {
	asked := file != ""
	name := strings.TrimPrefix(file, "file:")
	if !asked {
		name = gunicornFile
	}
	if p.Read == nil || strings.HasPrefix(name, "python:") {
		if asked {
			clear(set)
		}
		return
	}
	text, err := p.Read(name)
	switch {
	case err == nil:
		p.assign(set, string(text))
	case asked || !errors.Is(err, fs.ErrNotExist):
		clear(set)
	}
}

// assignment is one at the outermost level of the file; those further in may or may
// not be reached.
var (
	assignment = regexp.MustCompile(`^([a-z_]+)\s*(?::\s*\w+\s*)?=\s*([^=].*)$`)
	inner      = regexp.MustCompile(`^\s+([a-z_]+)\s*=\s*[^=]`)
	number     = regexp.MustCompile(`^\d+(?:\.\d+)?$`)
	str        = regexp.MustCompile(`^(?:"([^"\\]*)"|'([^'\\]*)')$`)
	fromEnv    = regexp.MustCompile(`^(?:int|float|str)?\(?\s*os\.(?:getenv|environ\.get)\(\s*["'](\w+)["']\s*(?:,` +
		`\s*(.+?)\s*)?\)\s*\)?$`)
	comment = regexp.MustCompile(`\s+#.*$`)
)

// assign reads plain assignments: numbers, strings, and what the environment may
// say in their place. A setting of which nothing else is known loses its default.
func (p Place) assign(set map[string]string, text string) {
	if strings.Contains(text, "import *") || strings.Contains(text, "globals()") {
		clear(set)
		return
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := inner.FindStringSubmatch(line); m != nil {
			delete(set, m[1])
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if value, ok := p.value(comment.ReplaceAllString(m[2], "")); ok {
			set[m[1]] = value
		} else {
			delete(set, m[1])
		}
	}
	known := servers[0].flags
	for name := range set {
		if !knownSetting(known, name) {
			delete(set, name)
		}
	}
}

func knownSetting(flags map[string]string, name string) bool {
	for _, setting := range flags {
		if setting == name {
			return true
		}
	}
	return false
}

// value works out the right side of an assignment.
func (p Place) value(expr string) (string, bool) {
	expr = strings.TrimSpace(expr)
	if number.MatchString(expr) {
		return expr, true
	}
	if m := str.FindStringSubmatch(expr); m != nil {
		return m[1] + m[2], true
	}
	if m := fromEnv.FindStringSubmatch(expr); m != nil {
		if v := p.env(m[1]); v != "" {
			return v, true
		}
		return p.value(m[2])
	}
	return "", false
}
