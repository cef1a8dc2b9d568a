// Package prompts reads files of requests in JSON Lines (jsonlines.org), one request a
// line, as load generators for language models exchange them.
//
// A line is one of:
//
//	{"model": "m", "messages": […]}                          a body, sent as it stands
//	{"timestamp": 1200, "body": {…}}                         a body, and when it arrives
//	{"timestamp": 1200, "input_length": 900, "output_length": 40}
//	                                                         sizes alone, as in the traces of Mooncake
//	{"turns": [{…}, {…}]}                                    the bodies of a session, one a turn
//
// timestamp is in milliseconds, and counts from the least one of the file. Sizes are in
// tokens. A request of sizes takes its body from elsewhere, with the place {prompt} for a
// text of input_length words, and {output_length} for the length to ask for.
package prompts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"
)

// An Entry is one request.
type Entry struct {
	Body   []byte        // nil where the line has sizes alone, or turns
	Turns  [][]byte      // the bodies of the turns of a session; nil where the line has one body
	At     time.Duration // since the first request; 0 in a file without times
	Input  int           // tokens; 0 where the line does not say
	Output int           // tokens; 0 where the line does not say
	Line   int           // of the file, from 1
}

// A File is what was read.
type File struct {
	Path    string
	Entries []Entry
	Timed   bool // every line has its time; entries are in that order
	Sized   bool // every line has sizes and no body
	Talks   bool // every line has turns
}

// An Error is a line that cannot be used.
type Error struct {
	Path         string
	Line         int // from 1; 0 for the file as a whole
	Problem, Fix string
}

func (e *Error) Error() string { return e.Place() + ": " + e.Problem + "; " + e.Fix }

// Place is "trace.jsonl:17".
func (e *Error) Place() string {
	if e.Line == 0 {
		return e.Path
	}
	return e.Path + ":" + strconv.Itoa(e.Line)
}

// maxLine bounds one line, in bytes.
const maxLine = 16 << 20

// Read reads a file. Its error is an *[Error].
func Read(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, &Error{path, 0, "cannot read it: " + reason(err), "check the path"}
	}
	defer in.Close()
	r := reader{File: &File{Path: path}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			if err := r.line(n, line); err != nil {
				return nil, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, &Error{path, 0, "cannot read it: " + reason(err),
			fmt.Sprintf("write one request a line, each below %d MiB", maxLine>>20)}
	}
	if len(r.Entries) == 0 {
		return nil, &Error{path, 0, "it has no request", "write one a line, as JSON"}
	}
	return r.File, r.close()
}

func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// A reader holds what the lines so far have in common.
type reader struct {
	*File
	first int // number of the first line
	last  int // of the line before
}

// A line as far as it tells about itself.
type line struct {
	Timestamp *float64        `json:"timestamp"`
	Body      json.RawMessage `json:"body"`
	Turns     json.RawMessage `json:"turns"`
	Input     *int            `json:"input_length"`
	Output    *int            `json:"output_length"`
}

func (r *reader) bad(n int, fix, problem string, args ...any) error {
	return &Error{r.Path, n, fmt.Sprintf(problem, args...), fix}
}

func (r *reader) line(n int, text []byte) error {
	if !json.Valid(text) {
		var into any
		return r.bad(n, "write one whole JSON value a line", "no JSON: %v", json.Unmarshal(text, &into))
	}
	if text[0] != '{' && text[0] != '[' {
		return r.bad(n, `write a body such as {"messages": […]}`, "a JSON object is expected, and this is %.20s", text)
	}
	var l line
	if text[0] == '{' {
		if err := json.Unmarshal(text, &l); err != nil {
			return r.bad(n, "timestamp is a number of milliseconds, input_length and output_length are numbers of tokens",
				"%v", err)
		}
	}
	e, timed, sized, err := r.entry(n, text, l)
	if err != nil {
		return err
	}
	if len(r.Entries) == 0 {
		r.first, r.Timed, r.Sized, r.Talks = n, timed, sized, e.Turns != nil
	}
	switch {
	case r.Talks != (e.Turns != nil):
		return r.bad(n, "give every line turns, or none", "turns here and none in line %d, or the other way about", r.first)
	case timed != r.Timed:
		return r.bad(n, "give every line a timestamp, or none",
			"a timestamp here and none in line %d, or the other way about", r.first)
	case sized != r.Sized:
		return r.bad(n, "give every line a body, or none", "sizes without a body here and a body in line %d, or the other "+
			"way about", r.first)
	case r.Timed && len(r.Entries) > 0 && e.At < r.Entries[len(r.Entries)-1].At:
		return r.bad(n, "sort the lines by timestamp", "timestamp %g is before that of line %d", *l.Timestamp, r.last)
	}
	e.Line, r.last = n, n
	r.Entries = append(r.Entries, e)
	return nil
}

// mostTokens is the size of the largest text that is made for a line: above what any model
// takes.
const mostTokens = 10_000_000

// entry tells a body from a line about one. A body of the user's own that has the keys of
// neither is sent as it stands.
func (r *reader) entry(n int, text []byte, l line) (e Entry, timed, sized bool, err error) {
	talks := bytes.HasPrefix(l.Turns, []byte("["))
	about := l.Body != nil || l.Input != nil || l.Output != nil || talks
	if !about {
		return Entry{Body: bytes.Clone(text)}, false, false, nil
	}
	for name, v := range map[string]*int{"input_length": l.Input, "output_length": l.Output} {
		if v != nil && (*v < 0 || *v > mostTokens) {
			return e, false, false, r.bad(n, "write a number of tokens, 10 million at most", "%s %d is out of range", name, *v)
		}
	}
	if l.Timestamp != nil {
		ms := *l.Timestamp
		if ms < 0 || ms > math.MaxInt64/1e7 {
			return e, false, false, r.bad(n, "write milliseconds since the begin", "timestamp %g is out of range", ms)
		}
		e.At, timed = time.Duration(ms*float64(time.Millisecond)), true
	}
	if l.Input != nil {
		e.Input = *l.Input
	}
	if l.Output != nil {
		e.Output = *l.Output
	}
	switch {
	case talks && l.Body != nil:
		return e, false, false, r.bad(n, "leave one of them out", "it has both a body and turns")
	case talks:
		var turns []json.RawMessage
		if json.Unmarshal(l.Turns, &turns) != nil || len(turns) == 0 { // valid JSON: only the latter
			return e, false, false, r.bad(n, `write a body for each, {"turns": [{…}, {…}]}`, "no turn")
		}
		for _, t := range turns {
			e.Turns = append(e.Turns, sent(t))
		}
		return e, timed, false, nil
	case l.Body == nil:
		return e, timed, true, nil
	}
	e.Body = sent(l.Body)
	return e, timed, false, nil
}

// sent is a body as it is sent: a text without its quotes.
func sent(raw json.RawMessage) []byte {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	return bytes.Clone(raw)
}

// close lets times count from the first.
func (r *reader) close() error {
	for i := len(r.Entries) - 1; i >= 0; i-- {
		r.Entries[i].At -= r.Entries[0].At
	}
	return nil
}

// Sizes fills the places for sizes in a body.
func (e *Entry) Sizes(body []byte) []byte {
	if !bytes.Contains(body, []byte("_length}")) {
		return body
	}
	return []byte(strings.NewReplacer("{input_length}", strconv.Itoa(e.Input), "{output_length}",
		strconv.Itoa(e.Output)).Replace(string(body)))
}

// words are short and common: most tokenizers make one token of each.
var words = strings.Fields("the of and to in is that for it as was with be by on not he his but at are this have " +
	"from or had an they which one you were all her she there would their we him been has when who will no more if out " +
	"so up said what its about than into them can only other time new some could these two may first then do any like " +
	"my now over such our man me even most made after also did many off before must well back through years much where " +
	"your way down should because long each just state those people too mr how little good world make very year still " +
	"see own work men day get here old life both between being under three never know same last another while us might " +
	"great go come since against right came take used himself few house use place during high without again home around " +
	"small however found mrs part school thought went say general once upon every left war does until always away " +
	"something fact water less public put think almost hand enough far took head yet better set told nothing night end " +
	"why called find going look later knew point next give present")

// Texts makes a text of Input words for every entry, by a seed. They share one stock of
// text, so that a long trace takes little memory.
func Texts(entries []Entry, seed uint64) []string {
	longest := 0
	for _, e := range entries {
		longest = max(longest, e.Input)
	}
	r := rand.New(rand.NewPCG(seed, 0x70726f6d))
	var stock strings.Builder
	starts := make([]int, 0, longest+len(words))
	for range longest + len(words) {
		starts = append(starts, stock.Len())
		stock.WriteString(words[r.IntN(len(words))])
		stock.WriteByte(' ')
	}
	all := stock.String()
	texts := make([]string, len(entries))
	for i, e := range entries {
		from := r.IntN(len(words))
		if e.Input > 0 {
			end := len(all)
			if from+e.Input < len(starts) {
				end = starts[from+e.Input]
			}
			texts[i] = strings.TrimSuffix(all[starts[from]:end], " ")
		}
	}
	return texts
}

// Round is the order in which n entries are taken in a round: each once before any comes
// again, in an order drawn by the seed.
func Round(n int, seed, round uint64) []int {
	return rand.New(rand.NewPCG(seed, 0x7069636b+round)).Perm(n)
}
