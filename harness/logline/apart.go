package logline

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// A Piece is what one program wrote of a file that several wrote: of docker compose, of
// a process manager, of the journal, or of a container whose server writes its access and
// its error log to one place.
type Piece struct {
	Reading
	// Service is what the collector calls the writer, where it runs several services beside
	// each other: "app-1" of docker compose. "" elsewhere.
	Service string
	Index   []int    // of the lines, from 0
	Text    []string // without what the collector put before them
	Stamp   []string // the time that the collector put there, "" for none
}

// A wrapper is what a collector of logs puts before each line.
type wrapper struct {
	find    *regexp.Regexp
	writer  int  // group that names the writer, 0 for none
	time    int  // group that has the time, 0 for none
	service bool // the writers are services beside each other, of which some are not the app
	kept    bool // others read it, or would miss it: only lines of an edge are freed of it
}

const (
	colour  = `(?:\x1b\[[\d;]*m)`
	service = `([a-zA-Z0-9]*[a-zA-Z][\w-]{0,62}(?:\.\d{1,4})?)`
	bar     = `\|(?: (?:\x1b\[(?:0|39)?m)?|\x1b\[0?m ?|$)`
)

// wrappers, the more telling first. Loggers write "name | text", too; collectors pad the
// names with at least two spaces, or colour them.
var wrappers = []wrapper{
	// docker compose
	{find: regexp.MustCompile(`^` + service + ` {2,}` + bar), writer: 1, service: true},
	// the same, and overmind
	{find: regexp.MustCompile(`^` + colour + service + colour + `? *` + colour + `?` + bar), writer: 1, service: true},
	// docker service
	{find: regexp.MustCompile(`^([\w-]+\.\d+)\.[a-z0-9]{20,}@\S+ +` + bar), writer: 1, service: true},
	// foreman, honcho
	{find: regexp.MustCompile(`^` + colour + `?(\d\d:\d\d:\d\d) ([a-zA-Z][\w-]*\.\d+) +` + bar), writer: 2, time: 1,
		service: true},
	// pm2
	{find: regexp.MustCompile(`^` + colour + `?\d+\|([^|\s](?:[^|]*[^|\s])?) +` + bar), writer: 1, service: true},
	{find: kubectlPrefix, writer: 2, kept: true},
	// docker logs -t
	{find: regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)(?: |$)`), time: 1},
	// CRI
	{find: regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(?:Z|[+-]\d\d:\d\d)) ` +
		`std(?:out|err) [FP](?: |$)`), time: 1},
	// syslog, the journal
	{find: regexp.MustCompile(`^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|` +
		`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:?\d\d|` +
		`[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]{3,4}) ` +
		`\S+ ([^\s:\[\]]+)(?:\[\d+\])?: `), writer: 2, time: 1, kept: true},
}

// match is what stands before a line, nil if nothing does.
func (w *wrapper) match(line string) []string {
	m := w.find.FindStringSubmatch(line)
	if m != nil && w.service && (level.MatchString(m[w.writer]) || someRequest.MatchString(m[w.writer])) {
		return nil
	}
	return m
}

// What loggers write where collectors write a service: levels, and the IDs of requests, in
// which letters and digits take turns.
var (
	level = regexp.MustCompile(`(?i)^(?:trace|debug|verbose|info|notice|success|warn(?:ing)?|err(?:or)?|crit(?:ical)?|` +
		`alert|emerg|fatal|panic|severe|log|http|silly)$`)
	someRequest = regexp.MustCompile(`\d[a-zA-Z]+\d+[a-zA-Z]|^nonce-\d`)
)

const (
	// wrapped is the least share of lines that must bear what a collector puts before each.
	wrapped = 0.9
	// maxServices is how many services a collector may have: more names are no services.
	maxServices = 50
)

// Apart takes a file apart by what wrote it. nil where one program wrote all, and nothing
// stands before its lines.
func Apart(name string, lines []string) []Piece {
	if kubernetes(lines) || Recognise(name, lines).Kind == NoLog {
		return nil
	}
	all := &sheet{lines: lines, writer: make([]string, len(lines)), text: slices.Clone(lines),
		stamp: make([]string, len(lines))}
	service, kept, named := false, false, false
	for range 2 { // compose with -t wraps twice
		w := all.wrapper()
		if w == nil || named && w.writer > 0 {
			break
		}
		all.unwrap(w)
		service, kept, named = service || w.service, kept || w.kept, named || w.writer > 0
	}
	var pieces []Piece
	rest := Piece{}
	for _, who := range all.writers() {
		if service && who == "" {
			continue // the collector itself, before the first of them
		}
		for _, p := range all.byKind(name, who) {
			switch {
			case p.Sure && p.Kind.Edge() && kept && !service:
				p.Service = "" // the name of a program or a container
				pieces = append(pieces, p)
			case kept && !service:
				rest.Index = append(rest.Index, p.Index...)
			default:
				pieces = append(pieces, p)
			}
		}
	}
	if len(rest.Index) > 0 {
		slices.Sort(rest.Index)
		for _, i := range rest.Index {
			rest.Text, rest.Stamp = append(rest.Text, lines[i]), append(rest.Stamp, "")
		}
		rest.Reading = Recognise(name, rest.Text)
		pieces = append(pieces, rest)
	}
	if len(pieces) == 0 || len(pieces) == 1 && slices.Equal(pieces[0].Text, lines) {
		return nil
	}
	return pieces
}

// A sheet is a file that is being taken apart.
type sheet struct{ lines, writer, text, stamp []string }

// wrapper finds what stands before nearly all lines; nil if nothing does.
func (s *sheet) wrapper() *wrapper {
	filled, docker := 0, 0
	for _, t := range s.text {
		filled += b2i(strings.TrimSpace(t) != "")
		docker += b2i(strings.HasPrefix(t, dockerStart))
	}
	nearly := func(n int) bool { return n > 0 && float64(n) >= wrapped*float64(filled) }
	for i := range wrappers {
		w, n, without := &wrappers[i], 0, 0
		services := map[string]bool{}
		for _, t := range s.text {
			m := w.match(t)
			if m == nil {
				if without += b2i(strings.TrimSpace(t) != ""); !nearly(filled - without) {
					break
				}
				continue
			}
			if n++; w.service {
				services[m[w.writer]] = true
			}
		}
		if nearly(n) && len(services) <= maxServices {
			return w
		}
	}
	if nearly(docker) && slices.ContainsFunc(s.text, func(t string) bool { _, ok := ofDockerFile(t); return ok }) {
		return &wrapper{}
	}
	return nil
}

// unwrap takes it away. A line without it goes on with the one before.
func (s *sheet) unwrap(w *wrapper) {
	who := ""
	for i, t := range s.text {
		if w.find == nil {
			if text, ok := ofDockerFile(t); ok {
				s.text[i], s.stamp[i] = text, t
			}
			continue
		}
		if m := w.match(t); m != nil {
			s.text[i] = t[len(m[0]):]
			if w.time > 0 {
				s.stamp[i] = m[w.time]
			}
			if w.writer > 0 {
				who = m[w.writer]
			}
		}
		if w.writer > 0 {
			s.writer[i] = who
		}
	}
}

// dockerStart is how the lines of the files begin that Docker keeps.
const dockerStart = `{"log":"`

// ofDockerFile is the text in such a line. Collectors that add to it write other forms.
func ofDockerFile(line string) (string, bool) {
	if !strings.HasPrefix(line, dockerStart) {
		return "", false
	}
	var l struct {
		Log, Stream, Time string
		Attrs             json.RawMessage
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(&l) != nil || l.Stream == "" || l.Time == "" {
		return "", false
	}
	return strings.TrimRight(l.Log, "\r\n"), true
}

// writers are those of the sheet, in the order of their first lines.
func (s *sheet) writers() (list []string) {
	for _, w := range s.writer {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// accessOf are the kinds of access logs that a server writes beside its log of errors.
var accessOf = map[Kind]Kind{NginxError: NginxAccess, ApacheError: ApacheAccess, LighttpdError: LighttpdAccess,
	HAProxy: HAProxy}

// entrypoint is what images of servers say before they start them.
var entrypoint = regexp.MustCompile(`^(?:\S+: )?/docker-entrypoint|` +
	`^\S+-(?:by-default|envsubst-on-templates)\.sh: `)

// A writing is all that one writer wrote.
type writing struct {
	index  []int
	of     []Kind // by the mark of each line, "" for none
	server Kind   // whose lines about errors are among them, "" for none or several
	found  map[Kind]bool
	app    bool // some lines are surely an app's
	few    bool // the lines without a mark are no more than those of servers
}

// writing looks for the marks of the lines of one writer.
func (s *sheet) writing(who string) *writing {
	w := &writing{found: map[Kind]bool{}}
	for i := range s.text {
		if s.writer[i] == who {
			w.index = append(w.index, i)
		}
	}
	w.of = make([]Kind, len(w.index))
	if !slices.ContainsFunc(w.index, func(i int) bool {
		return ofServer(s.text[i]) || s.text[i] != s.lines[i] && ofServer(s.lines[i])
	}) {
		return w
	}
	unmarked, servers := 0, 0
	for j, i := range w.index {
		m := markOf(s.text[i])
		if m < 0 && s.text[i] != s.lines[i] {
			m = markOf(s.lines[i]) // HAProxy's is its name in syslog
		}
		k := Kind("")
		if m >= 0 && marks[m].writer != "klog" { // which nginx's controller in Kubernetes writes, too
			k = marks[m].kind
		}
		if _, ok := accessOf[k]; ok {
			w.found[k], w.server = true, k
		}
		w.of[j], w.app = k, w.app || k == App
		unmarked += b2i(k == "" && !goesOn(s.text[i]))
		servers += b2i(k != "" && k != App)
	}
	if len(w.found) > 1 {
		w.server = ""
	}
	w.few = unmarked <= servers
	return w
}

// ofServer reports whether a line may have a mark of accessOf. Most files have none, and are
// done sooner.
func ofServer(text string) bool {
	return slices.ContainsFunc(marks, func(m mark) bool { return accessOf[m.kind] != "" && m.line.MatchString(text) })
}

// goesOn reports whether a line goes on with one before: of a traceback of PHP, which nginx
// cites.
func goesOn(text string) bool {
	return strings.TrimSpace(text) == "" || strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") ||
		phpStack.MatchString(text)
}

// kind is which log of its writer a line belongs to, "" for what no edge surely wrote. Where
// an app writes there, too, nobody knows who wrote a line about a request.
func (w *writing) kind(j int, text string) Kind {
	k := w.of[j]
	if w.found[k] || k == NginxAccess && w.found[NginxError] {
		return k
	}
	if w.server == "" {
		return ""
	}
	switch _, request := ParseAccess(Access, text); {
	case k == Access && !w.app:
		return accessOf[w.server]
	case k == Access, k == "" && request:
		return Access
	case k == "" && (entrypoint.MatchString(text) || !w.app && w.few):
		return w.server
	}
	return ""
}

// byKind takes apart what one writer wrote: a server writes its errors and its access log
// to one place, and a container may run an edge beside the app.
func (s *sheet) byKind(name, who string) []Piece {
	if who != "" {
		name = who
	}
	w := s.writing(who)
	byKind := map[Kind]*Piece{}
	for j, i := range w.index {
		k := w.kind(j, s.text[i])
		p := byKind[k]
		if p == nil {
			p = &Piece{Service: who}
			byKind[k] = p
		}
		p.Index, p.Text, p.Stamp = append(p.Index, i), append(p.Text, s.text[i]), append(p.Stamp, s.stamp[i])
	}
	var pieces []Piece
	for k, p := range byKind {
		if len(byKind) > 1 && strings.TrimSpace(strings.Join(p.Text, "")) == "" {
			continue
		}
		if p.Reading = Recognise(name, p.Text); k != "" {
			p.Reading = Reading{Kind: k, Writer: k.Product(), Sure: k != Access}
		} else if who != "" && !p.Sure {
			p.Kind = unsure(p.Kind, p.Text)
		}
		pieces = append(pieces, *p)
	}
	slices.SortFunc(pieces, func(a, b Piece) int { return a.Index[0] - b.Index[0] })
	return pieces
}

// unsure is what to take the lines of a service for that is k by no more than its name.
func unsure(k Kind, lines []string) Kind {
	switch {
	case k.Errors() && !k.Requests():
		return Proxy // it has no line about an error
	case k == App && !slices.ContainsFunc(lines, func(t string) bool {
		_, request := ParseAccess(Access, t)
		return !request && strings.TrimSpace(t) != ""
	}):
		return Access // an edge may have any name
	}
	return k
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
