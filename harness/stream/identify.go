package stream

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Guess is a dialect that a body may be of.
type Guess struct {
	Dialect string
	// Score is from 0 to 1, and only sorts guesses.
	Score float64
	// Certain says that signs were seen that only this dialect has.
	Certain bool
	// Unknown says that no dialect reads the body; Dialect is then what it is most
	// like, and "" where it is like nothing.
	Unknown bool
	// Like is the API that a body resembles most of which only the framing is known.
	Like string
	// Terminal is a proposal for the terminal expression, where the dialect needs
	// one; Ends are all proposals, the most telling first.
	Terminal string
	Ends     []string
	Why      []Fact
}

// A Fact is one reason for a guess. Text is a literal from the wire, a name or an
// expression.
type Fact struct {
	Kind      FactKind
	Event     int // from 1; 0 for none
	Count, Of int
	Text      string
}

// A FactKind is what a fact is about.
type FactKind string

const (
	FactMedia    FactKind = "media type"     // Text: the body's
	FactFraming  FactKind = "framing"        // Text: the format's name; Count frames
	FactOwn      FactKind = "events of it"   // Count of Of are
	FactMark     FactKind = "mark"           // Text: the expression that held at Event
	FactTerminal FactKind = "terminal"       // at Event
	FactLacks    FactKind = "lacks"          // Text: what it would need
	FactForm     FactKind = "form"           // Text: the Form of a body that nothing reads
	FactSame     FactKind = "same on a wire" // Text: a dialect that looks the same
	FactFault    FactKind = "fault"          // Text: the Fault of all events, without which the dialect was recognised
)

// Scores. Marks outweigh events that several dialects share, and those outweigh the
// framing.
const (
	scoreFraming = 0.2
	scoreMedia   = 0.1
	scoreOwn     = 0.5
	scoreMark    = 0.05 // each, at most three
	maxMarks     = 3
)

// Identify tells from the wire alone which dialect a body is of: the best guess
// first, and at least one. body is decoded (no gzip), and may be the start of an
// answer.
func Identify(contentType string, body []byte) []Guess {
	media, charset := mediaType(contentType), ""
	if strings.HasPrefix(media, "text/") {
		charset = CharsetOf(contentType)
	}
	var out []Guess
	for _, s := range signs() {
		if g, ok := s.look(media, charset, body); ok {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b Guess) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return settle(out, media, body)
}

// settle fills in what only the best guess tells.
func settle(out []Guess, media string, body []byte) []Guess {
	if form := unread(media, body); form != FormUnknown && (len(out) == 0 || !out[0].Certain) {
		g := Guess{Unknown: true, Why: []Fact{{Kind: FactForm, Text: string(form)}}}
		g.Dialect = resembles(form)
		return append([]Guess{g}, out...)
	}
	if len(out) == 0 {
		return []Guess{{Unknown: true, Dialect: "text", Why: []Fact{{Kind: FactLacks, Text: "UTF-8"}}}}
	}
	best := &out[0]
	if best.Dialect == "sse-generic" || strings.HasSuffix(best.Dialect, "text") {
		if g, ok := misframed(media, body); ok {
			return append([]Guess{g}, out...)
		}
	}
	switch best.Dialect {
	case "sse-generic", "ndjson-generic":
		best.Like = alike(body)
		best.propose(body)
	case "text":
		best.Why = append(best.Why, Fact{Kind: FactSame, Text: "llamaindex-text"})
	}
	return out
}

// misframed recognises a body of which a framework has framed every event wrongly: its
// dialect is the one that it has without that, and reads it as corrupt.
func misframed(media string, body []byte) (g Guess, ok bool) {
	text := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	fault, without := PrefixTwice, bytes.ReplaceAll(text, []byte("data: data: "), []byte("data: "))
	if bytes.Equal(without, text) {
		events := bytes.TrimRight(text, "\n")
		if bytes.Contains(events, []byte("\n\n")) || bytes.Count(events, []byte("\ndata: ")) < 2 {
			return g, false
		}
		fault, without = Joined, append(bytes.ReplaceAll(events, []byte("\ndata: "), []byte("\n\ndata: ")), "\n\n"...)
	}
	for _, s := range signs() {
		if s.NeedsTerminal || s.Format.Name != SSE.Name {
			continue
		}
		if h, fits := s.look(media, "", without); fits && h.Certain && h.Score > g.Score {
			g = h
		}
	}
	g.Why = append(g.Why, Fact{Kind: FactFault, Text: string(fault)})
	return g, g.Dialect != ""
}

// resembles is the dialect that a form which nothing reads is most like.
func resembles(f Form) string {
	switch f {
	case FormGRPC, FormMedia:
		return "bedrock-eventstream" // messages with their length before them
	case FormJSON:
		return "ndjson-generic"
	}
	return "text"
}

// unread is the form of a body that no dialect reads, FormUnknown for any other.
func unread(media string, body []byte) Form {
	switch f := MediaForm(media); f {
	case FormUnknown, FormAWS:
	default:
		return f
	}
	start := bytes.TrimLeft(bytes.TrimPrefix(body, []byte(byteOrderMark)), " \t\r\n")
	switch {
	case len(start) > 0 && start[0] == '<' && (media == "text/html" || page(start)):
		return FormHTML
	case len(start) > 0 && start[0] == 0x1e: // RFC 7464: a record separator before each text
		return FormJSONSeq
	case len(start) > 4 && start[0] <= 1 && !utf8.Valid(body[:min(len(body), 5)]),
		len(body) > 5 && body[0] <= 1 && body[1] == 0 && body[2] == 0:
		return FormGRPC
	case bytes.HasPrefix(start, []byte("--")) && bytes.Contains(start[:min(len(start), 200)], []byte("\r\nContent-")):
		return FormMultipart
	case len(start) > 0 && start[0] == '{' && oneDocument(start):
		return FormJSON
	}
	return FormUnknown
}

// oneDocument reports whether b is one JSON object, and not lines of them.
func oneDocument(b []byte) bool {
	c := cursor{b: b}
	c.skip()
	if c.bad {
		return !bytes.Contains(b, []byte("}\n{")) && !bytes.Contains(b, []byte("}\r\n{")) && bytes.IndexByte(b, '\n') < 2
	}
	return c.peek() == 0 && c.i == len(b)
}

// propose finds terminal expressions.
func (g *Guess) propose(body []byte) {
	d, _ := Lookup(g.Dialect)
	never, err := ParseTerminal(`data == "\u0000 no event is like this"`)
	if err != nil {
		return
	}
	h := readerSink{d.New(Ask{Terminal: never})}
	dec := d.Format.New(Limits{})
	if dec.Push(body, h) != nil {
		return
	}
	if g.Ends = h.Close(dec.Close(h)).Ends; len(g.Ends) > 0 {
		g.Terminal = g.Ends[0]
		return
	}
	g.Why = append(g.Why, Fact{Kind: FactLacks, Text: "terminal"})
}

// A readerSink passes frames on to a reader.
type readerSink struct{ Reader }

// Frame implements [Sink].
func (s readerSink) Frame(f *Frame) { s.Read(f) }

// A sign is what a dialect is recognised by.
type dialectSigns struct {
	Dialect
	own, marks []string
	rules      []rule
	root       node
	nOwn       int
}

var signs = sync.OnceValue(func() []dialectSigns {
	var out []dialectSigns
	for _, d := range Dialects() {
		s := dialectSigns{Dialect: d}
		switch {
		case d.Spec != nil:
			s.own, s.marks = d.Spec.Own, d.Spec.Marks
		default: // our own server
			s.own = []string{"json .nonce exists and json .seq exists", "event == done and json .crc exists",
				"json .type == done and json .crc exists"}
			s.marks = s.own[:1]
		}
		s.compile()
		out = append(out, s)
	}
	return out
})

// compile makes rules of the signs. A path of own need only be there.
func (s *dialectSigns) compile() {
	c := &compiler{name: s.Name}
	for _, line := range slices.Concat(s.own, s.marks) {
		if strings.HasPrefix(line, ".") && !strings.Contains(line, " when ") {
			n := c.at("own", line)
			if n != nil {
				n.own = true
			}
			s.rules = append(s.rules, rule{slot: -1})
			continue
		}
		s.rules = append(s.rules, c.rule("own", line, false))
	}
	s.nOwn, s.root = len(s.own), c.root
}

// A recogniser counts the events of a body that are a dialect's own.
type recogniser struct {
	s            *dialectSigns
	frames       int // that hold something
	own          int
	broken       int
	beats        int
	marks        map[int]int // mark to the first event that it held at
	sentinel     int
	object, json bool
	batch        bool // an array is read by its elements
}

// Frame implements [Sink].
func (r *recogniser) Frame(f *Frame) {
	if f.Comment {
		if f.Junk != nil {
			r.broken++
		} else {
			r.beats++
		}
		return
	}
	if idle(f) {
		r.beats++
		return
	}
	spec := r.s.Spec
	if spec != nil && (spec.Sentinel != "" && string(bytes.TrimSpace(f.Data)) == spec.Sentinel || spec.Trailer != "" &&
		string(f.Data) == spec.Trailer) {
		r.sentinel++
		return
	}
	if r.batch && batches(f.Data) {
		for part := range elements(f.Data) {
			r.Frame(&Frame{Data: part, Name: f.Name})
		}
		return
	}
	r.frames++
	if f.Junk != nil || f.Broken != "" || !utf8.Valid(f.Data) {
		r.broken++
		return
	}
	w := walk{c: cursor{b: f.Data}, r: &dataReader{d: &facts{spec: &Spec{}}}}
	if len(f.Data) > 0 || len(f.Name) == 0 {
		w.take(&r.s.root)
		if !w.c.done() || r.object && !bytes.HasPrefix(bytes.TrimSpace(f.Data), []byte("{")) {
			if r.json {
				r.broken++
				return
			}
			w = walk{c: cursor{b: f.Data}, r: w.r}
		}
	}
	own := w.own
	for i := range r.s.rules {
		rule := &r.s.rules[i]
		if rule.when == nil || !rule.holds(f, &w) {
			continue
		}
		if i < r.s.nOwn {
			own = true
		} else if _, seen := r.marks[i]; !seen {
			r.marks[i] = r.frames
		}
	}
	if own {
		r.own++
	}
}

// look scores a dialect; false where the body cannot be one of it. charset is that of
// text, "" for UTF-8.
func (s *dialectSigns) look(media, charset string, body []byte) (g Guess, ok bool) {
	g.Dialect = s.Name
	r := &recogniser{s: s, marks: map[int]int{}, json: true, object: true}
	fits := slices.Contains(s.Media, media)
	if s.Spec != nil {
		r.json, r.object = s.Spec.Data != "any", s.Spec.Data == "" || s.Spec.Data == "object" || s.Spec.Data == "objects"
		r.batch = s.Spec.Data == "objects"
	}
	if fits {
		g.Score += scoreMedia
		g.Why = append(g.Why, Fact{Kind: FactMedia, Text: media})
	}
	if s.Format.Name == Text.Name {
		if charset == "" && (!utf8.Valid(body[:len(body)-unfinished(body)]) || bytes.IndexByte(body, 0) >= 0) {
			return g, false
		}
		if s.Name == "text" {
			g.Score += 0.01 // llamaindex-text looks the same
		}
		return g, true
	}
	dec := s.Format.New(Limits{})
	if dec.Push(body, r) != nil {
		return g, false
	}
	dec.Close(r)
	events := r.frames + r.sentinel
	if events == 0 && r.beats == 0 || r.broken > 0 {
		return g, false
	}
	generic := s.NeedsTerminal
	if generic && s.Format.Name == NDJSON.Name && events < 2 && !lineMedia(media) {
		return g, false
	}
	g.Score += scoreFraming
	g.Why = append(g.Why, Fact{Kind: FactFraming, Text: framingOf(dec, s.Format), Count: r.frames + r.sentinel})
	if generic {
		g.Certain = events > 0
		g.Score += scoreOwn / 4
		return g, true
	}
	if r.own == 0 && len(r.marks) == 0 {
		return g, false
	}
	return s.score(g, r), true
}

// framingOf is the name of the format that a body was cut with.
func framingOf(dec Decoder, f Format) string {
	if e, ok := dec.(*eitherDecoder); ok && e.chosen != "" {
		return e.chosen
	}
	return f.Name
}

// score adds what the events say.
func (s *dialectSigns) score(g Guess, r *recogniser) Guess {
	share := float64(r.own) / float64(max(r.frames, 1))
	g.Score += scoreOwn * min(share, 1)
	g.Why = append(g.Why, Fact{Kind: FactOwn, Count: r.own, Of: r.frames})
	for i := range s.marks {
		if at, ok := r.marks[s.nOwn+i]; ok {
			g.Why = append(g.Why, Fact{Kind: FactMark, Text: s.marks[i], Event: at})
		}
	}
	n := len(r.marks)
	g.Score += scoreMark * float64(min(n, maxMarks))
	switch {
	case len(s.marks) > 0 && n == 0:
		g.Score *= 0.5 // nothing shows that it is more than its base, or than any stream
	case s.Spec != nil && s.Spec.Like != "":
		g.Certain = share > 0.5
		g.Score += scoreMark
	default:
		g.Certain = share > 0.5
	}
	return g
}

// alike is the API that a body of a known framing resembles most: the one of which it
// has the most names and types, "" where it shares fewer than three with any. What is
// like another API, and has some more names, is left to that one.
func alike(body []byte) string {
	best, most := "", 2
	for _, s := range signs() {
		if s.NeedsTerminal || s.Format.Name == Text.Name || s.Spec == nil || s.Spec.Like != "" {
			continue
		}
		n := 0
		for _, word := range s.words() {
			if bytes.Contains(body, word) {
				n++
			}
		}
		if n > most {
			best, most = s.Name, n
		}
	}
	return best
}

// words are the names of the members and types that a dialect knows, in quotes.
func (s *dialectSigns) words() [][]byte {
	var out [][]byte
	seen := map[string]bool{}
	add := func(w string) {
		if len(w) > 2 && !seen[w] {
			seen[w] = true
			out = append(out, []byte(`"`+w+`"`))
		}
	}
	lines := slices.Concat(s.Spec.Content, s.Spec.Reasoning, s.Spec.Terminal, s.Spec.Own, s.Spec.Finish)
	if c := s.Spec.Choices; c != nil {
		lines = append(lines, c.At, c.Index, c.Finish)
	}
	for _, line := range lines {
		path, expr, _ := strings.Cut(line, " when ")
		if !strings.HasPrefix(path, ".") {
			expr = path
		} else if steps, err := rulePath(path); err == nil {
			for _, st := range steps {
				add(st.name)
			}
		}
		m, err := ParseTerminal(expr)
		if err != nil {
			continue
		}
		for _, all := range m.any {
			for _, t := range all {
				for _, v := range t.values {
					add(v.text)
				}
			}
		}
	}
	return out
}
