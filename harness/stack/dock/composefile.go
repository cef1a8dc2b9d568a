package dock

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// binds reads volumes. A named volume becomes one without a name, which goes
// with its container: a test must not find what the last one left.
func binds(folder string, entries []any) (list, volumes []string, err error) {
	for _, v := range entries {
		s, ok := v.(string)
		if !ok {
			return nil, nil, fmt.Errorf("volume %v: only the short form, host:container, is read", v)
		}
		host, inside, two := strings.Cut(s, ":")
		switch {
		case !two:
			volumes = append(volumes, host)
		case strings.HasPrefix(host, "."), strings.HasPrefix(host, "/"):
			abs := host
			if !filepath.IsAbs(host) {
				if abs, err = filepath.Abs(filepath.Join(folder, host)); err != nil {
					return nil, nil, err
				}
			}
			list = append(list, abs+":"+inside)
		default:
			path, _, _ := strings.Cut(inside, ":")
			volumes = append(volumes, path)
		}
	}
	return list, volumes, nil
}

func readEnvFile(path string) (lines []string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && strings.Contains(line, "=") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

var variable = regexp.MustCompile(`\$(\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))`)

// interpolate replaces ${NAME}, ${NAME:-default}, ${NAME-default} and $NAME; $$
// is a dollar.
func interpolate(text string, lookup func(string) (string, bool)) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		g := variable.FindStringSubmatch(m)
		if g[1] == "$" {
			return "$"
		}
		value, ok := lookup(g[2] + g[5])
		if !ok || g[3] == ":-" && value == "" {
			return g[4]
		}
		return value
	})
}

// parseSize reads compose's sizes: "256m", "1.5gb", "1024".
func parseSize(s string) (int64, error) {
	text := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "b")
	unit := 1.0
	if i := strings.IndexAny(text, "kmg"); i >= 0 && i == len(text)-1 {
		unit = map[byte]float64{'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}[text[i]]
		text = text[:i]
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return int64(n * unit), nil
}
