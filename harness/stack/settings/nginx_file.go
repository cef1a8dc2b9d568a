package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// A Conf is an nginx configuration that has been parsed.
type Conf struct {
	// Text is what nginx is to read: the file as it was, or, where it includes others
	// that lie beside it, all of them in one.
	Text []byte
	// Method is what requests are sent with: "GET". "" is unknown.
	Method string
	main   crossplane.Directives
}

// Nginx parses the text of a file, without what it includes. It leaves it to nginx to
// judge what a configuration means, and refuses only text that is none at all.
func Nginx(file string, text []byte) (*Conf, error) {
	main, err := parseNginx(file, text)
	if err != nil {
		return nil, err
	}
	return &Conf{Text: text, main: main}, nil
}

func parseNginx(file string, text []byte) (main crossplane.Directives, err error) {
	parsed, err := crossplane.Parse(file, &crossplane.ParseOptions{SingleFile: true, StopParsingOnError: true,
		SkipDirectiveContextCheck: true, SkipDirectiveArgsCheck: true,
		Open: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }})
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %s", place(file, err))
	}
	for _, f := range parsed.Config {
		main = append(main, f.Parsed...)
	}
	return main, nil
}

// place is the parser's message as file:line: what.
func place(file string, err error) string {
	var p *crossplane.ParseError
	if errors.As(err, &p) && p.Line != nil {
		if p.File != nil {
			file = *p.File // one that is included
		}
		return fmt.Sprintf("%s:%d: %s", filepath.Base(file), *p.Line, p.What)
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// nginxFolder is where nginx finds its configuration, and what relative names in it
// start from, in the official images and the packages of distributions.
const nginxFolder = "/etc/nginx"

// includeDepth is as deep as files may include each other.
const includeDepth = 10

// ReadNginx reads a file of the user's and all that it includes and that lies beside
// it: conf.d/*.conf and /etc/nginx/conf.d/*.conf are those in the folder conf.d next to
// the file. What is not there is left to the image that nginx runs in, as mime.types.
//
// A template, as the official image renders them, has ${NAME} where a value is to be.
// Its values are taken from lookup, the environment; a [*Template] names those that
// have none.
func ReadNginx(file string, lookup func(string) (string, bool)) (*Conf, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %w", err)
	}
	if text, err = render(filepath.Base(file), text, lookup); err != nil {
		return nil, err
	}
	main, err := parseNginx(file, text)
	if err != nil {
		return nil, err
	}
	in := includer{folder: filepath.Dir(file), lookup: lookup}
	joined, err := in.join(main, 0)
	if err != nil {
		return nil, err
	}
	c := &Conf{Text: text, main: joined}
	if in.joined {
		var b bytes.Buffer
		if err := crossplane.Build(&b, crossplane.Config{Parsed: joined}, &crossplane.BuildOptions{}); err != nil {
			return nil, fmt.Errorf("read nginx.conf: join what it includes: %w", err)
		}
		c.Text = append(b.Bytes(), '\n')
	}
	return c, nil
}

// A Template is a configuration that lacks values.
type Template struct {
	File    string   // its name, without its folder
	Missing []string // names of the values
}

func (t *Template) Error() string {
	return fmt.Sprintf("%s is a template, and its values are not known: %s", t.File, strings.Join(t.Missing, ", "))
}

// placeholder is what the official image's envsubst replaces. nginx's own variables are
// written in the same way, in lower case.
var placeholder = regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)\}`)

// render puts values into a template. A file that sets a variable of such a name
// itself (set $NAME …) is none.
func render(name string, text []byte, lookup func(string) (string, bool)) ([]byte, error) {
	var missing []string
	out := placeholder.ReplaceAllFunc(text, func(m []byte) []byte {
		variable := string(m[2 : len(m)-1])
		if bytes.Contains(text, []byte("$"+variable+" ")) {
			return m
		}
		value, ok := lookup(variable)
		if !ok && !slices.Contains(missing, variable) {
			missing = append(missing, variable)
		}
		return []byte(value)
	})
	if len(missing) > 0 {
		return nil, &Template{File: name, Missing: missing}
	}
	return out, nil
}

// An includer puts what a configuration includes in the place of its includes.
type includer struct {
	folder string // of the main file, on this machine
	lookup func(string) (string, bool)
	joined bool // whether there was anything
}

func (in *includer) join(block crossplane.Directives, depth int) (joined crossplane.Directives, err error) {
	for _, d := range block {
		if d.Directive == "include" && len(d.Args) == 1 {
			files, err := in.find(d.Args[0])
			if err != nil {
				return nil, err
			}
			if len(files) > 0 {
				inner, err := in.files(files, depth)
				if err != nil {
					return nil, err
				}
				joined = append(joined, inner...)
				continue
			}
		}
		if d.Block != nil {
			inner, err := in.join(d.Block, depth)
			if err != nil {
				return nil, err
			}
			copied := *d
			copied.Block = append(crossplane.Directives{}, inner...) // an empty one is still a block
			d = &copied
		}
		joined = append(joined, d)
	}
	return joined, nil
}

func (in *includer) files(files []string, depth int) (all crossplane.Directives, err error) {
	if depth >= includeDepth {
		return nil, fmt.Errorf("read nginx.conf: %s: files include each other more than %d deep", filepath.Base(files[0]),
			includeDepth)
	}
	in.joined = true
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read nginx.conf: %w", err)
		}
		if text, err = render(filepath.Base(file), text, in.lookup); err != nil {
			return nil, err
		}
		parsed, err := parseNginx(file, text)
		if err != nil {
			return nil, err
		}
		inner, err := in.join(parsed, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, inner...)
	}
	return all, nil
}

// find lists the files on this machine that an include means, sorted as nginx takes
// them.
func (in *includer) find(pattern string) ([]string, error) {
	rel := pattern
	if path.IsAbs(pattern) {
		inside, ok := strings.CutPrefix(path.Clean(pattern), nginxFolder+"/")
		if !ok {
			return nil, nil
		}
		rel = inside
	}
	files, err := filepath.Glob(filepath.Join(in.folder, filepath.FromSlash(rel)))
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: include %s: %w", pattern, err)
	}
	return files, nil
}
