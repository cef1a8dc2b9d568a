package recognise

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/streamproof/streamproof/harness/stream"
)

// endWords are values that say by themselves that something is over.
var endWords = []string{"done", "end", "ended", "finish", "finished", "complete", "completed", "final", "closed",
	"success", "succeeded"}

// saysEnd reports whether a terminal expression has a word in it, as a name, a value or a
// part of one, that says that something is over.
func saysEnd(expression string) bool {
	words := strings.FieldsFunc(camel.ReplaceAllString(expression, "$1 $2"),
		func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(w string) bool {
		w = strings.ToLower(w)
		return slices.Contains(endWords, w) || slices.Contains(endNames, w)
	})
}

// endNames say it as the name of an event or a member.
var endNames = []string{"bye", "close", "completion", "eof", "eos", "finishes", "goodbye", "last", "over", "stop",
	"stopped", "terminal", "terminated"}

// camel finds where words meet in camelCase.
var camel = regexp.MustCompile(`([a-z])([A-Z])`)

// marks lists the terminal expressions that tell the last JSON event of a body from all
// others by its members, the most telling first: a member that says that it is over, a
// member that no other event has, and a member with a few values that turns to one which
// it never had before. Content is none of these: it is there every time, and new every
// time. Fewer than three events tell nothing, and neither does one that names a failure.
func marks(d stream.Dialect, body []byte) []string {
	events := members(d, body)
	if len(events) < 3 {
		return nil
	}
	last, before := events[len(events)-1], map[string]map[string]bool{}
	for _, e := range events[:len(events)-1] {
		for path, v := range e {
			if before[path] == nil {
				before[path] = map[string]bool{}
			}
			before[path][v] = true
		}
	}
	var over, new, turned []string
	for _, path := range slices.SortedFunc(maps.Keys(last), shortest) {
		value := last[path]
		text, isText := strings.CutPrefix(value, `"`)
		text = strings.TrimSuffix(text, `"`)
		seen := before[path]
		switch {
		case stream.FailingName(path) || isText && stream.FailingName(text):
			return nil
		case seen[value]:
		case isText && slices.Contains(endWords, strings.ToLower(text)):
			over = append(over, "json "+path+" == "+text)
		case len(seen) == 0 && value == "true":
			over = append(over, "json "+path+" == true")
		case len(seen) == 0 && value != "null" && value != "false":
			new = append(new, "json "+path+" exists")
		case isText && plainWord.MatchString(text) && len(seen) <= 3 && len(events) > 3*len(seen):
			turned = append(turned, "json "+path+" == "+text)
		}
	}
	return slices.Concat(over, new, turned)
}

// plainWord is a value that an expression takes without quotes.
var plainWord = regexp.MustCompile(`^[A-Za-z][\w.-]*$`)

// plainKey is a member that a path takes as it stands.
var plainKey = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// shortest puts members of the event itself before those inside of others.
func shortest(a, b string) int {
	if n := strings.Count(a, ".") - strings.Count(b, "."); n != 0 {
		return n
	}
	return strings.Compare(a, b)
}

// members are the values of all events of a body by their paths, as JSON writes them;
// nil where an event is no JSON object.
func members(d stream.Dialect, body []byte) []map[string]string {
	var k keeper
	dec := d.Format.New(stream.Limits{})
	if dec.Push(body, &k) != nil || dec.Close(&k) > 0 {
		return nil
	}
	var out []map[string]string
	for _, data := range k {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return nil
		}
		values := map[string]string{}
		flatten(values, "", object, 3)
		out = append(out, values)
	}
	return out
}

// flatten writes down the members of an object, and of the objects in it.
func flatten(values map[string]string, at string, object map[string]json.RawMessage, depth int) {
	for key, raw := range object {
		if !plainKey.MatchString(key) {
			continue
		}
		path := at + "." + key
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) == nil && inner != nil && depth > 1 {
			flatten(values, path, inner, depth-1)
			continue
		}
		values[path] = string(raw)
	}
}

// A keeper keeps the data of all events.
type keeper [][]byte

// Frame implements [stream.Sink].
func (k *keeper) Frame(f *stream.Frame) {
	if !f.Comment && len(f.Data) > 0 {
		*k = append(*k, slices.Clone(f.Data))
	}
}
