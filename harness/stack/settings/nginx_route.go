package settings

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// A route is the way of a request through a configuration.
type route struct {
	blocks  []crossplane.Directives // that the request is in, the outermost first
	family  family                  // of the directive that passes it on
	to      string                  // where to, without scheme and path: "app:8000"
	anew    bool                    // a variable stands in it
	group   *crossplane.Directive   // the upstream of that name; nil for an address
	unknown string                  // why all this cannot be told
}

// routeHops is as often as a request may be sent on inside of nginx
// (ngx_http_request_s.uri_changes).
const routeHops = 10

// route follows a request of path, with a query or without, through the server that
// answers where streams are sent.
func (c *Conf) route(path string) (r route) {
	r.family = families[0]
	r.blocks = []crossplane.Directives{c.main}
	for _, http := range within(c.main, "http") {
		r.blocks = append(r.blocks, http.Block)
		server := c.server(http.Block)
		if server == nil {
			continue
		}
		t := newTrip(c, http.Block, server.Block, path)
		blocks, err := t.find()
		if err != nil {
			r.unknown = err.Error()
			return r
		}
		inner := blocks[len(blocks)-1]
		f, pass := passing(inner)
		if t.inherits && denied(inner) {
			return r
		}
		if pass == nil && t.inherits {
			f, pass = passing(blocks[len(blocks)-2])
		}
		if pass == nil {
			return r // served by nginx itself: nothing is passed on
		}
		r.blocks = append(r.blocks, blocks...)
		r.family = f
		r.lead(c, t, strings.Join(pass.Args, " "))
		return r
	}
	return r
}

// lead works out where a directive passes requests on to.
func (r *route) lead(c *Conf, t *trip, to string) {
	r.anew = strings.Contains(to, "$")
	if value, ok := t.expand(to); ok {
		to = value
	}
	if _, rest, ok := strings.Cut(to, "://"); ok {
		to = rest
	}
	r.to, _, _ = strings.Cut(to, "/")
	r.group = c.group(r.to)
}

// denied reports whether a block lets nobody in.
func denied(block crossplane.Directives) bool {
	all := slices.ContainsFunc(within(block, "deny"), func(d *crossplane.Directive) bool {
		return slices.Contains(d.Args, "all")
	})
	return all && len(within(block, "allow")) == 0
}

// group finds the upstream block of that name, nil if it is a plain address.
func (c *Conf) group(name string) *crossplane.Directive {
	for _, http := range within(c.main, "http") {
		for _, up := range within(http.Block, "upstream") {
			if len(up.Args) > 0 && up.Args[0] == name {
				return up
			}
		}
	}
	return nil
}

// passing is the directive of a block that passes requests on.
func passing(block crossplane.Directives) (f family, pass *crossplane.Directive) {
	for _, f := range families {
		if found := within(block, f.name+"_pass"); len(found) > 0 {
			return f, found[len(found)-1]
		}
	}
	return families[0], nil
}

// server is the one that answers where streams are sent: of those at that port the
// default one, or the first. Streams are sent to an address, and no server has that
// for its name.
func (c *Conf) server(http crossplane.Directives) *crossplane.Directive {
	port := c.Port()
	var first *crossplane.Directive
	for _, s := range within(http, "server") {
		listens := within(s.Block, "listen")
		if len(listens) == 0 && port == httpPort && first == nil {
			first = s
		}
		for _, l := range listens {
			if listenPort(l.Args) != port {
				continue
			}
			if slices.Contains(l.Args, "default_server") || slices.Contains(l.Args, "default") {
				return s
			}
			if first == nil {
				first = s
			}
		}
	}
	return first
}

// A trip is a request on its way: nginx may change its URI, and look for its location
// again.
type trip struct {
	conf   *Conf
	http   crossplane.Directives
	server crossplane.Directives
	uri    string // decoded, without query
	vars   map[string]string
	// inherits says that the innermost block is no location of its own: where it passes
	// nothing on, the location around it does.
	inherits bool
}

func newTrip(c *Conf, http, server crossplane.Directives, path string) *trip {
	uri, query, asks := strings.Cut(path, "?")
	vars := map[string]string{"request_uri": path, "args": query, "query_string": query, "is_args": "", "scheme": "http",
		"https": ""}
	if asks {
		vars["is_args"] = "?"
	}
	if values, err := url.ParseQuery(query); err == nil {
		for name := range values {
			vars["arg_"+strings.ToLower(name)] = values.Get(name)
		}
	}
	if c.Method != "" {
		vars["request_method"] = c.Method
	}
	if plain, err := url.PathUnescape(uri); err == nil {
		uri = plain
	}
	for strings.Contains(uri, "//") { // merge_slashes
		uri = strings.ReplaceAll(uri, "//", "/")
	}
	t := &trip{conf: c, http: http, server: server, vars: vars}
	t.send(uri)
	return t
}

// send sends the request on to a URI.
func (t *trip) send(uri string) { t.uri, t.vars["uri"], t.vars["document_uri"] = uri, uri, uri }

// find lists the server and the locations that the request is in when it is served,
// the outermost first, and an if among them where it decides.
func (t *trip) find() ([]crossplane.Directives, error) {
	if _, err := t.rewrite(t.server); err != nil {
		return nil, err
	}
	for range routeHops {
		found, _, err := t.locate(t.server)
		if err != nil {
			return nil, err
		}
		blocks := append([]crossplane.Directives{t.server}, found...)
		again, err := t.inside(&blocks)
		if err != nil {
			return nil, err
		}
		if !again {
			return blocks, nil
		}
	}
	return nil, fmt.Errorf("%s is sent on inside of nginx more than %d times", t.uri, routeHops)
}

// inside does what the innermost block says. It reports whether the request has to
// look for its location again.
func (t *trip) inside(blocks *[]crossplane.Directives) (again bool, err error) {
	inner := (*blocks)[len(*blocks)-1]
	if limit, err := t.limited(inner); err != nil {
		return false, err
	} else if limit != nil {
		// It stands in the location's place, with neither its rewrites nor its ifs.
		*blocks, t.inherits = append(*blocks, limit), true
		return false, nil
	}
	if len(*blocks) > 1 { // the server's own have had their turn
		if again, err = t.rewrite(inner); again || err != nil {
			return again, err
		}
	}
	if held, err := t.condition(inner); err != nil {
		return false, err
	} else if held != nil {
		if *blocks = append(*blocks, held); len(within(held, "return")) == 0 {
			return false, nil
		}
		inner = held
	}
	if _, pass := passing(inner); pass != nil {
		return false, nil
	}
	target := t.fallback(*blocks)
	switch {
	case strings.HasPrefix(target, "@"):
		for _, l := range within(t.server, "location") {
			if len(l.Args) == 1 && l.Args[0] == target {
				*blocks = []crossplane.Directives{t.server, l.Block}
				_, err := t.rewrite(l.Block)
				return false, err
			}
		}
		return false, fmt.Errorf("location %s is not there", target)
	case strings.HasPrefix(target, "/"):
		target, _, _ = strings.Cut(target, "?")
		uri, ok := t.expand(target)
		if !ok {
			return false, fmt.Errorf("where %s is sent on to depends on the request: %s", t.uri, target)
		}
		if uri == t.uri {
			return false, nil
		}
		t.send(uri)
		return true, nil
	}
	return false, nil
}

// fallback is where a block that passes nothing on itself sends requests: the last
// word of try_files, since an app's path is no file, or the error_page of the status
// that it returns.
func (t *trip) fallback(blocks []crossplane.Directives) string {
	inner := blocks[len(blocks)-1]
	if answers := within(inner, "return"); len(answers) > 0 {
		if len(answers[0].Args) == 1 {
			return t.errorPage(blocks, answers[0].Args[0])
		}
		return ""
	}
	for _, d := range within(inner, "try_files") {
		if n := len(d.Args); n > 1 && !strings.HasPrefix(d.Args[n-1], "=") {
			return d.Args[n-1]
		}
	}
	return t.errorPage(blocks, "404") // nginx looks for a file, and there is none
}

// errorPage is what stands for a status: that of the innermost block which has any.
func (t *trip) errorPage(blocks []crossplane.Directives, status string) string {
	for _, block := range slices.Backward(blocks) {
		pages := within(block, "error_page")
		for _, d := range pages {
			if n := len(d.Args); n > 1 && slices.Contains(d.Args[:n-1], status) {
				return d.Args[n-1]
			}
		}
		if len(pages) > 0 {
			return ""
		}
	}
	return ""
}

// limited is the limit_except of a location that the request's method is subject to: it is
// for all methods but those that it names, and HEAD goes with GET.
func (t *trip) limited(location crossplane.Directives) (crossplane.Directives, error) {
	for _, d := range within(location, "limit_except") {
		switch named := slices.ContainsFunc(d.Args, func(name string) bool {
			return strings.EqualFold(name, t.conf.Method) || strings.EqualFold(name, "GET") && t.conf.Method == "HEAD"
		}); {
		case t.conf.Method == "":
			return nil, fmt.Errorf("what serves %s depends on the method of the request (limit_except)", t.uri)
		case !named:
			return d.Block, nil
		}
	}
	return nil, nil
}

// condition is the if of a block that passes requests on, where one does and the block
// does not, or where its condition holds for sure; or one that holds and returns.
func (t *trip) condition(block crossplane.Directives) (crossplane.Directives, error) {
	_, own := passing(block)
	var maybe []crossplane.Directives
	for _, d := range within(block, "if") {
		holds, known := t.holds(d.Args)
		if known && holds && len(within(d.Block, "return")) > 0 {
			return d.Block, nil
		}
		if _, pass := passing(d.Block); pass == nil {
			continue
		}
		switch {
		case known && holds:
			return d.Block, nil
		case !known:
			maybe = append(maybe, d.Block)
		}
	}
	switch {
	case own != nil || len(maybe) == 0:
		return nil, nil
	case len(maybe) > 1:
		return nil, fmt.Errorf("several conditions of the location that serves %s pass it on, and which one holds depends "+
			"on the request", t.uri)
	}
	return maybe[0], nil
}

// holds works out the condition of an if, where its variables are known.
func (t *trip) holds(args []string) (holds, known bool) {
	words := slices.Clone(args)
	if len(words) == 0 {
		return false, false
	}
	words[0] = strings.TrimPrefix(words[0], "(")
	words[len(words)-1] = strings.TrimSuffix(words[len(words)-1], ")")
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) == 0 || !strings.HasPrefix(words[0], "$") {
		return false, false // tests of files
	}
	value, ok := t.expand(words[0])
	if !ok {
		return false, false
	}
	if len(words) == 1 {
		return value != "" && value != "0", true
	}
	if len(words) != 3 {
		return false, false
	}
	switch words[1] {
	case "=":
		return value == words[2], true
	case "!=":
		return value != words[2], true
	}
	negated := strings.HasPrefix(words[1], "!")
	re, err := pattern(words[2], strings.HasSuffix(words[1], "*"))
	if err != nil {
		return false, false
	}
	return t.match(re, value) != negated, true
}

// rewrite does the set and rewrite directives of a block, in their order, and those of its
// ifs that hold. It reports whether the URI was changed so that its location has to be
// looked for again.
func (t *trip) rewrite(block crossplane.Directives) (again bool, err error) {
	again, _, err = t.rewriteIn(block)
	return again, err
}

// rewriteIn reports beside that nothing behind the block is done any more.
func (t *trip) rewriteIn(block crossplane.Directives) (again, done bool, err error) {
	for _, d := range block {
		switch {
		case d.Directive == "return":
			return again, true, nil
		case d.Directive == "if":
			switch holds, known := t.holds(d.Args); {
			case !known:
				for _, set := range within(d.Block, "set") {
					delete(t.vars, strings.TrimPrefix(slices.Concat(set.Args, []string{""})[0], "$"))
				}
			case holds:
				inner, done, err := t.rewriteIn(d.Block)
				if again = again || inner; done || err != nil {
					return again, done, err
				}
			}
		case d.Directive == "set" && len(d.Args) == 2:
			name := strings.TrimPrefix(d.Args[0], "$")
			if value, ok := t.expand(d.Args[1]); ok {
				t.vars[name] = value
			} else {
				delete(t.vars, name)
			}
		case d.Directive == "rewrite" && len(d.Args) >= 2:
			re, err := pattern(d.Args[0], false)
			if err != nil {
				return false, true, err
			}
			if !t.match(re, t.uri) {
				continue
			}
			target, _, _ := strings.Cut(d.Args[1], "?")
			uri, ok := t.expand(target)
			if !ok {
				return false, true, fmt.Errorf("where %s is rewritten to depends on the request: %s", t.uri, target)
			}
			flag := slices.Concat(d.Args, []string{""})[2]
			if flag == "redirect" || flag == "permanent" || strings.Contains(uri, "://") {
				return false, true, nil
			}
			t.send(uri)
			switch flag {
			case "break":
				return false, true, nil
			case "last":
				return true, true, nil
			}
			again = true
		case d.Directive == "break":
			return again, true, nil
		}
	}
	return again, false, nil
}

// locate finds the locations that a request is in, as ngx_http_core_find_location
// does: the longest prefix, and what is in it; then the regular expressions in their
// order, unless the prefix keeps them away (^~). final says that no expression further
// out may have it.
func (t *trip) locate(block crossplane.Directives) (found []crossplane.Directives, final bool, err error) {
	longest, exact := t.prefix(block)
	if exact {
		return []crossplane.Directives{longest.Block}, true, nil
	}
	if t.redirected(block) {
		return t.locate(block)
	}
	alone := false
	if longest != nil {
		how, _ := location(longest)
		alone = how == "^~"
		inner, final, err := t.locate(longest.Block)
		found = append([]crossplane.Directives{longest.Block}, inner...)
		if final || err != nil {
			return found, final, err
		}
	}
	if alone {
		return found, false, nil
	}
	for _, l := range within(block, "location") {
		how, text := location(l)
		if how != "~" && how != "~*" {
			continue
		}
		re, err := pattern(text, how == "~*")
		if err != nil {
			return nil, false, err
		}
		if t.match(re, t.uri) {
			inner, _, err := t.locate(l.Block)
			return append([]crossplane.Directives{l.Block}, inner...), true, err
		}
	}
	return found, false, nil
}

// prefix is the location with the longest text that the URI begins with, or one that
// asks for all of it.
func (t *trip) prefix(block crossplane.Directives) (longest *crossplane.Directive, exact bool) {
	length := -1
	for _, l := range within(block, "location") {
		switch how, text := location(l); {
		case how == "=" && text == t.uri:
			return l, true
		case (how == "" || how == "^~") && strings.HasPrefix(t.uri, text) && len(text) > length:
			longest, length = l, len(text)
		}
	}
	return longest, false
}

// redirected adds the slash that a request lacks for a location which passes requests
// on: nginx answers with a redirect there, and streamproof follows it.
func (t *trip) redirected(block crossplane.Directives) bool {
	for _, l := range within(block, "location") {
		how, text := location(l)
		if _, pass := passing(l.Block); pass != nil && (how == "" || how == "^~") && text == t.uri+"/" {
			t.send(text)
			return true
		}
	}
	return false
}

// location reads "location ^~ /chat": its modifier and what it compares. A named one
// has "@" for its modifier.
func location(l *crossplane.Directive) (how, text string) {
	switch len(l.Args) {
	case 1:
		for _, how := range []string{"^~", "~*", "~", "="} { // "location =/chat" is legal, too
			if text, ok := strings.CutPrefix(l.Args[0], how); ok {
				return how, text
			}
		}
		if strings.HasPrefix(l.Args[0], "@") {
			return "@", l.Args[0]
		}
		return "", l.Args[0]
	case 2:
		return l.Args[0], l.Args[1]
	}
	return "@", ""
}

// pattern compiles an expression of PCRE. Few have what Go's lack.
func pattern(text string, anyCase bool) (*regexp.Regexp, error) {
	flags := ""
	if anyCase {
		flags = "(?i)"
	}
	re, err := regexp.Compile(flags + text)
	if err != nil {
		return nil, fmt.Errorf("streamproof does not read the regular expression %s, and nginx may choose by it", text)
	}
	return re, nil
}

// match keeps what an expression caught, as nginx does.
func (t *trip) match(re *regexp.Regexp, text string) bool {
	caught := re.FindStringSubmatch(text)
	for i, value := range caught {
		t.vars[strconv.Itoa(i)] = value
		if name := re.SubexpNames()[i]; name != "" {
			t.vars[name] = value
		}
	}
	return caught != nil
}

var variable = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)

// expand puts values in the place of variables. ok is false where one of them is not
// known before there is a request.
func (t *trip) expand(text string) (value string, ok bool) { return t.expandIn(text, routeHops) }

func (t *trip) expandIn(text string, depth int) (value string, ok bool) {
	ok = true
	value = variable.ReplaceAllStringFunc(text, func(m string) string {
		v, known := t.variable(strings.Trim(m, "${}"), depth)
		ok = ok && known
		return v
	})
	return value, ok
}

// variable is the value of a variable: one that was set or caught, or that of a map.
func (t *trip) variable(name string, depth int) (value string, known bool) {
	if v, ok := t.vars[name]; ok {
		return v, true
	}
	for _, m := range within(t.http, "map") {
		if len(m.Args) == 2 && m.Args[1] == "$"+name && depth > 0 {
			return t.mapped(m, depth-1)
		}
	}
	return "", false
}

// mapped looks a value up in a map (ngx_http_map_module): the text itself first, then
// the expressions in their order, then the default.
func (t *trip) mapped(m *crossplane.Directive, depth int) (value string, known bool) {
	source, ok := t.expandIn(m.Args[0], depth)
	if !ok {
		return "", false
	}
	result := ""
	found := false
	for _, d := range m.Block {
		switch {
		case len(d.Args) != 1: // volatile, hostnames
		case d.Directive == "default":
			if !found {
				result = d.Args[0]
			}
		case strings.EqualFold(strings.TrimPrefix(d.Directive, `\`), source):
			return t.expandIn(d.Args[0], depth)
		case strings.HasPrefix(d.Directive, "~") && !found:
			text, anyCase := strings.CutPrefix(d.Directive[1:], "*")
			re, err := pattern(text, anyCase)
			if err != nil {
				return "", false
			}
			if t.match(re, source) {
				result, found = d.Args[0], true
			}
		}
	}
	return t.expandIn(result, depth)
}
