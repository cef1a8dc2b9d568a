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
	Stamp   []string // the text that bears the time: with what the collector put there, if that has it
}

// A wrapper is what a collector of logs puts before each line.
type wrapper struct {
	find    *regexp.Regexp
	writer  int // group that names the writer, 0 for none
	timed   bool
	service bool // the writers are services beside each other, of which some are not the app
	kept    bool // others read it, or would miss it: only lines of an edge are freed of it
}

// wrappers, the more telling first.
var wrappers = []wrapper{
	{find: regexp.MustCompile(`^(?:\x1b\[[\d;]*m)?([a-z0-9]*[a-z][a-z0-9_.-]{0,62}) +\| ?(?:\x1b\[0?m)?`),
		writer: 1, service: true}, // docker compose, overmind
	{find: regexp.MustCompile(`^\d\d:\d\d:\d\d ([a-zA-Z][\w-]*\.\d+) +\| `), writer: 1, timed: true, // foreman, honcho
		service: true},
	{find: regexp.MustCompile(`^\d+\|([\w.-]+) +\| `), writer: 1, service: true}, // pm2
	{find: kubectlPrefix, writer: 2, kept: true},
	{find: regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z `), timed: true}, // docker logs -t
	{find: regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] `), // CRI
		timed: true},
	{find: regexp.MustCompile(`^(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?` +
		`[+-]\d\d:?\d\d) \S+ ([^\s:\[\]]+)(?:\[\d+\])?: `), writer: 1, timed: true, kept: true}, // syslog, the journal
}

// level is what loggers write where compose writes a service.
var level = regexp.MustCompile(`^(?:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|panic|success)$`)

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
	all := &sheet{writer: make([]string, len(lines)), text: slices.Clone(lines), stamp: slices.Clone(lines)}
	service, kept := false, false
	for range 2 { // compose with -t wraps twice
		w := all.wrapper()
		if w == nil {
			break
		}
		all.unwrap(w)
		service, kept = service || w.service, kept || w.kept
	}
	var pieces []Piece
	rest := Piece{}
	for _, who := range all.writers() {
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
			rest.Text, rest.Stamp = append(rest.Text, lines[i]), append(rest.Stamp, lines[i])
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
type sheet struct{ writer, text, stamp []string }

// wrapper finds what stands before nearly all lines; nil if nothing does.
func (s *sheet) wrapper() *wrapper {
	filled := 0
	for _, t := range s.text {
		filled += b2i(strings.TrimSpace(t) != "")
	}
	for i := range wrappers {
		w, n := &wrappers[i], 0
		services := map[string]bool{}
		for _, t := range s.text {
			m := w.find.FindStringSubmatch(t)
			if m == nil || w.service && level.MatchString(m[w.writer]) {
				continue
			}
			if n++; w.service {
				services[m[w.writer]] = true
			}
		}
		if n > 0 && float64(n) >= wrapped*float64(filled) && len(services) <= maxServices {
			return w
		}
	}
	if n := len(s.text); n > 0 && isDockerFile(s.text[0]) && isDockerFile(s.text[n-1]) {
		return &wrapper{timed: true}
	}
	return nil
}

// unwrap takes it away. A line without it goes on with the one before.
func (s *sheet) unwrap(w *wrapper) {
	who := ""
	for i, t := range s.text {
		switch m := ([]string)(nil); {
		case w.find == nil:
			s.text[i] = ofDockerFile(t)
		default:
			if m = w.find.FindStringSubmatch(t); m == nil {
				break
			}
			if w.writer > 0 {
				who = m[w.writer]
			}
			s.text[i] = t[len(m[0]):]
		}
		if !w.timed {
			s.stamp[i] = s.text[i]
		}
		if w.writer > 0 {
			s.writer[i] = who
		}
	}
}

// A line of the files that Docker keeps.
type dockerLine struct{ Log *string }

func isDockerFile(line string) bool {
	var l dockerLine
	return strings.HasPrefix(line, `{"log":"`) && json.Unmarshal([]byte(line), &l) == nil && l.Log != nil
}

func ofDockerFile(line string) string {
	var l dockerLine
	if json.Unmarshal([]byte(line), &l) != nil || l.Log == nil {
		return line
	}
	return strings.TrimRight(*l.Log, "\r\n")
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
var accessOf = map[Kind]Kind{NginxError: NginxAccess, ApacheError: ApacheAccess, LighttpdError: LighttpdAccess, HAProxy: HAProxy}

// entrypoint is what images of servers say before they start them.
var entrypoint = regexp.MustCompile(`^(?:\S+: )?/docker-entrypoint|^\S+-by-default\.sh: |^\S+-envsubst-on-templates\.sh: `)

// byKind takes apart what one writer wrote: a server writes its errors and its access log
// to one place, and a container may run an edge beside the app. Only lines that surely are
// an edge's are taken out.
func (s *sheet) byKind(name, who string) []Piece {
	var of []Kind // of each line; "" for what is no edge's
	var index []int
	found, app := map[Kind]bool{}, false
	for i := range s.text {
		if s.writer[i] != who {
			continue
		}
		k := Kind("")
		if m := markOf(s.text[i]); m >= 0 {
			k = marks[m].kind
		}
		if _, ok := accessOf[k]; ok {
			found[k] = true
		}
		app = app || k == App
		of, index = append(of, k), append(index, i)
	}
	if who != "" {
		name = who
	}
	server := Kind("") // the only one
	if len(found) == 1 {
		for k := range found {
			server = k
		}
	}
	byKind := map[Kind]*Piece{}
	for j, i := range index {
		k := of[j]
		switch {
		case found[k], k == NginxAccess && found[NginxError]:
		case k == Access && server != "" && !app:
			k = accessOf[server]
		case server != "" && entrypoint.MatchString(s.text[i]):
			k = server
		default:
			k = ""
		}
		p := byKind[k]
		if p == nil {
			p = &Piece{Service: who}
			byKind[k] = p
		}
		p.Index, p.Text, p.Stamp = append(p.Index, i), append(p.Text, s.text[i]), append(p.Stamp, s.stamp[i])
	}
	var pieces []Piece
	for k, p := range byKind {
		if !slices.ContainsFunc(p.Text, func(t string) bool { return strings.TrimSpace(t) != "" }) && len(byKind) > 1 {
			continue
		}
		if p.Reading = Recognise(name, p.Text); k != "" {
			p.Reading = Reading{Kind: k, Writer: k.Product(), Sure: true}
		}
		pieces = append(pieces, *p)
	}
	slices.SortFunc(pieces, func(a, b Piece) int { return a.Index[0] - b.Index[0] })
	return pieces
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
