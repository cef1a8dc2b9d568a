package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness/secret"
)

// repro is the command line that repeats this run, without its seed, which the
// plan adds, and without the flags that are left out. It holds no literal header
// value: those are replaced by the name of a variable, which the next run asks for.
// A literal body is read from the run's folder dir, where [keepBodies] has put it;
// without a folder it stands there as it was typed.
func repro(command string, given *pflag.FlagSet, dir string, left ...string) string {
	words := []string{"streamproof", command}
	given.Visit(func(f *pflag.Flag) {
		if slices.Contains(forgotten, f.Name) || slices.Contains(left, f.Name) {
			return
		}
		for _, v := range valuesOf(f) {
			words = append(words, flagWords(f, public(f.Name, v, dir))...)
		}
	})
	return strings.Join(words, " ")
}

// forgotten are the flags that have no part in what a run finds.
var forgotten = []string{
	"seed", "out", "export", "quiet", "no-color", "json", "help", "metrics", "listen", "notify", "list", "otlp",
}

func valuesOf(f *pflag.Flag) []string {
	if many, ok := f.Value.(pflag.SliceValue); ok {
		return many.GetSlice()
	}
	s := f.Value.String()
	if s == "" && f.Value.Type() == "duration" {
		s = "0s" // given to override the file
	}
	return []string{s}
}

func flagWords(f *pflag.Flag, value string) []string {
	if f.Value.Type() == "bool" {
		if value == "false" { // given to override the file
			return []string{"--" + f.Name + "=false"}
		}
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, quote(value)}
}

// public is a flag's value without its secrets.
func public(flag, value, dir string) string {
	switch flag {
	case "header":
		return publicHeader(value)
	case "body", "plain-body":
		if dir == "" || strings.HasPrefix(value, "@") || usesVariable(value) {
			return value
		}
		return "@" + filepath.Join(dir, bodyFiles[flag])
	case "url", "direct", "path", "plain-path":
		return secret.PublicURL(value)
	}
	return value
}

// bodyFiles are the files of the run's folder that hold literal bodies, by flag.
var bodyFiles = map[string]string{"body": "body", "plain-body": "plain-body"}

// keepBodies writes the literal bodies that were given into the run's folder, for
// the owner's eyes alone, so that the line that repeats the run can read them.
// Without them that line fails and says which file is missing: no reason to stop.
func keepBodies(dir string, given *pflag.FlagSet) {
	for flag, name := range bodyFiles {
		f := given.Lookup(flag)
		if f == nil || !f.Changed {
			continue
		}
		if v := f.Value.String(); !strings.HasPrefix(v, "@") && !usesVariable(v) {
			_ = os.WriteFile(filepath.Join(dir, name), []byte(v), 0o600)
		}
	}
}

// harmless are the headers whose values are no secrets.
var harmless = []string{"accept", "accept-encoding", "accept-language", "cache-control", "content-type", "user-agent",
	"origin", "last-event-id", "anthropic-version", "openai-beta"}

func publicHeader(h string) string {
	name, value, err := header(h)
	if err != nil || onlyVariable(value) || slices.Contains(harmless, strings.ToLower(name)) {
		return h
	}
	return name + ": ${" + variableName(name) + "}"
}

// variableName makes X_API_KEY of X-Api-Key.
func variableName(header string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToUpper(r)
		}
		return '_'
	}, header)
}

// onlyVariable reports whether a header's value is that of a variable, and has nothing else
// that may be secret: a scheme may stand before it, as in "Bearer ${API_KEY}".
func onlyVariable(value string) bool { return variableAlone.MatchString(value) }

var variableAlone = regexp.MustCompile(`^(?:[A-Za-z]+ +)?\$\{\w+\}$`)

func usesVariable(s string) bool { return strings.Contains(s, "${") }

// quote makes one word for a shell. Line breaks and the like are written as
// escapes (POSIX.1-2024, section 2.2.4), so that the command stays one line.
func quote(s string) string {
	if s != "" && strings.IndexFunc(s, special) < 0 {
		return s
	}
	if strings.IndexFunc(s, unicode.IsControl) >= 0 || !utf8.ValidString(s) {
		return "$'" + escaped(s) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// escaped has no control character: a line that is printed must not steer the terminal.
func escaped(s string) string {
	short := map[rune]string{'\\': `\\`, '\'': `\'`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case short[r] != "":
			b.WriteString(short[r])
		case unicode.IsControl(r) || r == utf8.RuneError && n == 1:
			for _, c := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
		s = s[n:]
	}
	return b.String()
}

func special(r rune) bool {
	return !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:@%+=,", r))
}
