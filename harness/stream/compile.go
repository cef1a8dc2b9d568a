package stream

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var specName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// formats are the framings that a dialect can name.
var formats = map[string]Format{
	"sse": SSE, "sse-named": sseNamed, "ndjson": NDJSON, "json-array": JSONArray,
	"prefixed-lines": PrefixedLines, "aws-eventstream": EventStream, "text": Text,
}

// formatNames in the order in which they are offered.
var formatNames = []string{"sse", "sse-named", "ndjson", "json-array", "prefixed-lines", "aws-eventstream", "text"}

func (s Spec) compile(lookup func(string) (Dialect, bool)) (Dialect, error) {
	c := &compiler{name: s.Name}
	if !specName.MatchString(s.Name) {
		c.fail("name", fmt.Sprintf("%q is no name", s.Name), "use small letters, digits and dashes, such as my-api")
	}
	if s.Like != "" {
		base, ok := lookup(s.Like)
		if !ok || base.Spec == nil {
			c.fail("like", fmt.Sprintf("unknown dialect %q", s.Like), nearest(s.Like, order...))
			return Dialect{}, c.err
		}
		own := s
		s = s.over(*base.Spec)
		s.Marks = own.Marks // what only the base has is no mark of this one
	}
	if s.Doc == "" {
		s.Doc = "a dialect of the user's own"
	}
	if s.Proves == "" {
		s.Proves = "the end is proved; events have no number, so one that was lost, sent twice or out of order in the " +
			"middle is not found"
	}
	d := Dialect{Name: s.Name, Doc: s.Doc, Proves: s.Proves, Source: s.Source, Accept: s.Accept, Media: s.Media, Spec: &s}
	d.Format, d.says = c.format(s.Format), c.says(&s)
	if s.wireless() {
		d.generic(&s)
		return d, c.error()
	}
	if len(s.Terminal) == 0 && s.Sentinel == "" {
		c.fail("terminal", "nothing says which event ends a complete answer",
			`name it, as in terminal: ["json .type == end"], or sentinel: "[DONE]"`)
	}
	f := c.facts(&s)
	d.New = f.reader
	return d, c.error()
}

func (c *compiler) error() error { return c.err }

// wireless reports whether a dialect knows the framing only: its terminal is the
// user's to name, or, of text, its length.
func (s *Spec) wireless() bool {
	return len(s.Content) == 0 && len(s.Terminal) == 0 && s.Sentinel == "" && len(s.Format) == 1
}

// generic makes d the dialect of a framing.
func (d *Dialect) generic(s *Spec) {
	if d.says == nil {
		d.says = asTheyAre(d.Format)
	}
	switch s.Format[0] {
	case "text":
		d.New = newText
	case "ndjson":
		d.NeedsTerminal, d.New = true, newGenericLines
	default:
		d.NeedsTerminal, d.New = true, newGenericSSE
	}
}

// format finds the framing.
func (c *compiler) format(names []string) Format {
	var fs []Format
	for i, name := range names {
		f, ok := formats[name]
		if !ok {
			c.fail(fmt.Sprintf("format[%d]", i), fmt.Sprintf("unknown format %q", name), nearest(name, formatNames...))
			return Format{}
		}
		fs = append(fs, f)
	}
	switch len(fs) {
	case 0:
		c.fail("format", "no framing is named", "name one or several of "+strings.Join(formatNames, ", "))
		return Format{}
	case 1:
		return fs[0]
	}
	return either(fs)
}

// facts compiles what the events mean.
func (c *compiler) facts(s *Spec) *facts {
	f := &facts{spec: s, choices: s.Choices != nil}
	switch s.Data {
	case "", "object":
		f.object, f.json = true, true
	case "objects":
		f.object, f.json, f.batch = true, true, true
	case "json":
		f.json = true
	case "any":
	default:
		c.fail("data", fmt.Sprintf("unknown kind %q", s.Data), nearest(s.Data, "object", "objects", "json", "any"))
	}
	f.parts[Answer] = c.rules("content", s.Content)
	f.parts[Reasoning] = c.rules("reasoning", s.Reasoning)
	f.parts[Tool] = c.rules("tool", s.Tool)
	f.parts[Refusal] = c.rules("refusal", s.Refusal)
	f.meta = c.rules("meta", s.Meta)
	f.meta.mask = 0 // a member that is named here is no content; others beside it may be
	f.heartbeat = c.rules("heartbeat", s.Heartbeat)
	terminals := slices.Clone(s.Terminal)
	if i := slices.Index(terminals, "finish"); i >= 0 {
		f.terminalOnFinish = true
		terminals = slices.Delete(terminals, i, i+1)
	}
	f.terminal = c.rules("terminal", terminals)
	for i, line := range s.Error {
		if r := c.rule(fmt.Sprintf("error[%d]", i), line, true); r.bit != 0 {
			f.errorAt = append(f.errorAt, r)
		} else {
			f.errors.rest = append(f.errors.rest, r)
		}
	}
	for i, path := range s.ErrorText {
		steps, err := rulePath(path)
		if err != nil {
			c.exprError(fmt.Sprintf("error_text[%d]", i), err)
		}
		f.texts = append(f.texts, steps)
	}
	c.act("finish", s.Finish, finishReason)
	c.act("usage.input", s.Usage.Input, inputTokens)
	c.act("usage.output", s.Usage.Output, outputTokens)
	c.act("usage.reasoning", s.Usage.Reasoning, reasoningTokens)
	if ch := s.Choices; ch != nil {
		c.choices(ch)
	}
	f.order, f.emit, f.label = c.valueAt("order", s.Order), c.valueAt("emit", s.Emit), c.valueAt("label", s.Label)
	f.nest = c.nest(s.Nest, s.By)
	f.reasoned = len(s.Finish) > 0 && s.Sentinel == "" // an event that is the end, and not a word behind it
	for i, line := range s.Own {
		if !strings.HasPrefix(line, ".") || strings.Contains(line, " when ") {
			f.own.rest = append(f.own.rest, c.rule(fmt.Sprintf("own[%d]", i), line, false))
		} else if n := c.at("own", line); n != nil {
			n.own = true
		}
	}
	c.root.seal()
	f.root = c.root
	return f
}

// act ties an action to the values at paths.
func (c *compiler) act(key string, paths []string, a action) {
	for i, path := range paths {
		if n := c.at(fmt.Sprintf("%s[%d]", key, i), path); n != nil {
			n.act = a
		}
	}
}

func (c *compiler) choices(ch *Choices) {
	at := c.at("choices.at", ch.At)
	if at == nil {
		return
	}
	at.choice = true
	made(&at.each).inner, at.tree = true, true
	for key, path := range map[string]string{"choices.index": ch.Index, "choices.finish": ch.Finish} {
		if path == "" {
			continue
		}
		n := c.at(key, ch.At+"[]"+path)
		if n == nil {
			continue
		}
		if n.act = choiceIndex; key == "choices.finish" {
			n.act = finishReason
		}
	}
}
