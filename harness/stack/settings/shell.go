package settings

import (
	"path"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Words parts a command line as a shell does: at white space outside of quotes. It
// expands nothing: $PORT stays as it is, for the program is started without a shell. A
// line that needs one, with a pipe or a second command in it, is an error, and so is an
// open quote ([syntax.IsIncomplete]).
func Words(line string) ([]string, error) {
	var words []string
	for w, err := range syntax.NewParser(syntax.Variant(syntax.LangBash)).WordsSeq(strings.NewReader(line)) {
		if err != nil {
			return nil, err
		}
		words = append(words, bare(line, w.Parts, false))
	}
	return words, nil
}

// bare is a word without its quotes. What a shell would expand stands as it is in line.
func bare(line string, parts []syntax.WordPart, quoted bool) string {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(unescaped(p.Value, quoted))
		case *syntax.SglQuoted:
			if p.Dollar {
				b.WriteString(escaped(p.Value))
			} else {
				b.WriteString(p.Value)
			}
		case *syntax.DblQuoted:
			b.WriteString(bare(line, p.Parts, true))
		default:
			b.WriteString(line[p.Pos().Offset():p.End().Offset()])
		}
	}
	return b.String()
}

// escaped is what stands in $'…' without its escapes (POSIX.1-2024, Shell Command Language 2.2.4), as far as
// strconv knows them.
func escaped(text string) string {
	var b strings.Builder
	for text != "" {
		if strings.HasPrefix(text, `\"`) { // which stands for itself here
			text = text[1:]
		}
		c, wide, rest, err := strconv.UnquoteChar(text, '\'')
		switch {
		case err != nil:
			return b.String() + text
		case wide:
			b.WriteRune(c)
		default:
			b.WriteByte(byte(c))
		}
		text = rest
	}
	return b.String()
}

// unescaped takes out the backslashes that quote: within double quotes only those
// before a letter that means something there (POSIX, Shell Command Language 2.2).
func unescaped(text string, quoted bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\\n", text[i+1]) >= 0) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// Shell parts a command line into words, also what a shell in it is told to run, as in
// `sh -c "cd app && exec gunicorn …"`. Quotes are dropped; nothing is expanded. The
// words of several commands follow one another.
func Shell(argv []string) (words []string) {
	for i, a := range argv {
		script := len(argv) == 1 || i > 1 && strings.HasPrefix(argv[i-1], "-") && strings.HasSuffix(argv[i-1], "c") &&
			shells[path.Base(argv[i-2])]
		if !script {
			words = append(words, a)
			continue
		}
		inner, ok := commands(a)
		switch {
		case !ok: // no shell would take it; some word of it may still tell
			for _, w := range strings.Fields(a) {
				words = append(words, strings.Trim(w, `"'`))
			}
		case len(inner) == 1:
			words = append(words, inner...)
		default:
			words = append(words, Shell(inner)...)
		}
	}
	return words
}

var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true, "zsh": true, "ksh": true}

// commands lists the words of all commands of a script.
func commands(script string) (words []string, ok bool) {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, false
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			for _, w := range call.Args {
				words = append(words, bare(script, w.Parts, false))
			}
		}
		return true
	})
	return words, true
}
