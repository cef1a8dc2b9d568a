package reports

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Bounds on what one string may take up in a report, in runes.
const (
	lineBound  = 600  // a reason, a log line, a name
	blockBound = 4000 // a fix or a command to paste
)

// safe returns a copy of in whose strings are fit to be shown, apart from those
// of streams and logs, which are made fit one by one when they are. The number
// says how many strings were cut.
func (in Input) safe() (Input, int) {
	var s scrubber
	out := Input{Scopes: in.Scopes}
	report := *worded(in.Report)
	out.Report = &report
	s.copyTo(reflect.ValueOf(&report).Elem(), reflect.ValueOf(report))
	run := *in.run()
	for _, field := range []any{&run.Plan, &run.Windows, &run.Waves, &run.Notes, &run.Hops} {
		v := reflect.ValueOf(field).Elem()
		s.copyTo(v, reflect.ValueOf(v.Interface()))
	}
	out.Run = &run
	return out, s.cut
}

// A scrubber copies values deeply and cleans the strings in them. By reflection,
// because a field forgotten is a hole: what is added to a report tomorrow is
// clean today.
type scrubber struct{ cut int }

// blocks are the fields that keep their line breaks and get more room.
var blocks = map[string]bool{"Fix": true, "Repro": true, "Body": true, "Settle": true}

func (s *scrubber) copyTo(dst, src reflect.Value) { s.field(dst, src, "") }

func (s *scrubber) field(dst, src reflect.Value, name string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(s.text(src.String(), name))
	case reflect.Struct:
		s.fields(dst, src)
	case reflect.Pointer:
		if !src.IsNil() && src.Elem().Kind() == reflect.Struct {
			p := reflect.New(src.Type().Elem())
			s.fields(p.Elem(), src.Elem())
			dst.Set(p)
		}
	case reflect.Slice:
		if src.IsNil() {
			return
		}
		out := reflect.MakeSlice(src.Type(), src.Len(), src.Len())
		for i := range src.Len() {
			out.Index(i).Set(src.Index(i))
			s.field(out.Index(i), src.Index(i), name)
		}
		dst.Set(out)
	case reflect.Map:
		s.entries(dst, src, name)
	}
}

func (s *scrubber) fields(dst, src reflect.Value) {
	dst.Set(src)
	for i := range src.NumField() {
		if f := src.Type().Field(i); f.IsExported() {
			s.field(dst.Field(i), src.Field(i), f.Name)
		}
	}
}

func (s *scrubber) entries(dst, src reflect.Value, name string) {
	if src.IsNil() {
		return
	}
	out := reflect.MakeMapWithSize(src.Type(), src.Len())
	for it := src.MapRange(); it.Next(); {
		k, v := reflect.New(src.Type().Key()).Elem(), reflect.New(src.Type().Elem()).Elem()
		k.Set(it.Key())
		v.Set(it.Value())
		s.field(k, it.Key(), name)
		s.field(v, it.Value(), name)
		out.SetMapIndex(k, v)
	}
	dst.Set(out)
}

func (s *scrubber) text(t, name string) string {
	clean, cut := block, blockBound
	if !blocks[name] {
		clean, cut = line, lineBound
	}
	if utf8.RuneCountInString(t) > cut {
		s.cut++
	}
	return clean(t)
}

// line makes t fit for one line of a terminal, a file or a page.
func line(t string) string {
	return bound(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return visible(r)
	}, t), lineBound)
}

// Line makes t fit for one line of a table or a terminal, whoever said it.
func Line(t string) string { return line(t) }

// block does the same and keeps line breaks and tabs.
func block(t string) string {
	t = strings.ReplaceAll(t, "\r\n", "\n")
	return bound(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return visible(r)
	}, t), blockBound)
}

// visible replaces what could steer a terminal or turn the direction of a text
// by a picture of it: a server that sends escape sequences should be seen to.
func visible(r rune) rune {
	switch {
	case r < 0x20:
		return 0x2400 + r // control pictures: ESC shows as ␛
	case r == 0x7f:
		return 0x2421
	case r < 0x80:
		return r
	case r < 0xa0, // C1: 0x9b alone starts a control sequence
		r == 0x061c, r == 0x200e, r == 0x200f, // directional marks
		r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, // overrides and isolates
		r == 0xfeff, r >= 0xe0000 && r <= 0xe007f, // invisible: BOM, tags
		r == 0xfffe, r == 0xffff: // no XML characters
		return utf8.RuneError
	}
	return r
}

// bound cuts t after n runes and says how much it cut.
func bound(t string, n int) string {
	if len(t) <= n {
		return t
	}
	total := utf8.RuneCountInString(t)
	if total <= n {
		return t
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(t[at:])
		at += size
	}
	return fmt.Sprintf("%s… (%d more characters)", t[:at], total-n)
}
