package reports

import (
	"slices"
	"strings"
)

// A part of what to do: prose, or code that can be pasted as it stands.
type part struct {
	Code bool
	Text string
}

// codeIndent marks a line of a fix as code, as in Markdown.
const codeIndent = "    "

// parts takes a fix apart. Neighbouring lines of one kind are one part, code
// without its mark.
func parts(fix string) []part {
	var out []part
	for line := range strings.SplitSeq(strings.TrimRight(fix, "\n"), "\n") {
		text, code := strings.CutPrefix(line, codeIndent)
		if !code {
			text = strings.TrimSpace(line)
		}
		if n := len(out); n > 0 && out[n-1].Code == code {
			out[n-1].Text += "\n" + text
			continue
		}
		if text != "" {
			out = append(out, part{Code: code, Text: text})
		}
	}
	return out
}

// programs are what a command in a report may begin with, and what must follow: words
// such as make begin sentences, too.
var programs = map[string]func(args []string) bool{
	"streamproof": func(args []string) bool {
		return len(args) == 0 || slices.Contains(subcommands, args[0]) && flagged(args[1:])
	},
	"apt-get": begins("install"),
	"docker":  begins("compose", "exec", "inspect", "logs", "pull", "run", "stats"),
	"make":    begins("images", "setup"),
	"curl":    flagged,
	"ulimit":  flagged,
	"sysctl":  flagged,
}

// begins is for programs whose first argument is one of words.
func begins(words ...string) func([]string) bool {
	return func(args []string) bool { return len(args) > 0 && slices.Contains(words, args[0]) }
}

// subcommands of streamproof that reports advise.
var subcommands = []string{
	"run", "probe", "diagnose", "judge", "report", "scenarios", "init", "schema", "search", "shrink",
}

// step takes what to run next apart: a command and, behind three blanks and a
// #, what it is for; or prose. A sentence that begins with the name of a program
// is no command.
func step(s string) part {
	return part{Code: IsCommand(s), Text: s}
}

// IsCommand reports whether reports set s as a command.
func IsCommand(s string) bool {
	line, _, _ := strings.Cut(s, "   #")
	words := strings.Fields(line)
	if len(words) == 0 || strings.Contains(line, "\n") || strings.ContainsAny(unquoted(line), "();…") {
		return false
	}
	follows := programs[words[0]]
	return follows != nil && follows(words[1:])
}

// flagged reports whether arguments begin with a flag or a path, and not with a word
// of a sentence.
func flagged(words []string) bool {
	return len(words) == 0 || strings.HasPrefix(words[0], "-") || strings.ContainsAny(words[0], "/.") || words[0] == "&&"
}

// unquoted is a command line without what stands in quotes.
func unquoted(line string) string {
	var b strings.Builder
	quote := rune(0)
	for _, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
