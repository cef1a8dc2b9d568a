package diagnose

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

// Page is README.md, rendered from the table of causes.
func Page() string {
	var b strings.Builder
	b.WriteString(`# Causes

What can go wrong with a stream, as the diagnosis names it. Reports link to this page. It is rendered from the
table in [` + "`causes.go`](causes.go) by `go test ./harness/diagnose -run TestCausesPage -update`" + `.
How to add a cause: [EXTEND.md](EXTEND.md).

The identifier in the first column is the "taxonomy" of verdict.json. Its letter is the family: A the answer and
what produces it, B buffering and framing, D timers, E processes and deploys, F event loops and threads, G clients
that leave, H capacity, J content and retries, N causes met in public reports; X is outside of them. Causes that
look alike from outside share one.
`)
	for _, f := range families {
		fmt.Fprintf(&b, "\n## %s\n\n| id | cause | layer |\n|---|---|---|\n", f.title)
		for _, k := range f.causes {
			fmt.Fprintf(&b, "| %s | [%s](#%s) | %s |\n", k.ID, k.Name, k.anchor(), k.Layer)
		}
		for _, k := range f.causes {
			k.render(&b)
		}
	}
	return b.String()
}

// anchor is the fragment of a cause on the page, as GitHub makes it of a heading.
func (k Known) anchor() string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ':
			return '-'
		}
		return -1
	}, k.Name)
}

func (k Known) render(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n", k.Name, k.Line)
	if len(k.Alike) > 0 {
		b.WriteString("\nIt looks like\n")
	}
	for _, a := range k.Alike {
		fmt.Fprintf(b, "- [%s](#%s): %s\n", a.Cause, Known{Name: a.Cause}.anchor(), a.Tell)
	}
	if k.remedy.edge == nil && k.remedy.app == nil {
		b.WriteString("\nFix: the report says it; it depends on what was seen.\n")
		return
	}
	b.WriteString("\nFix\n")
	if k.remedy.edge != nil {
		item(b, "at the proxy", k.remedy.edge[record.EdgeUnknown])
		for _, p := range record.EdgeProducts {
			item(b, p.String(), k.remedy.edge[p])
		}
	}
	if k.remedy.app != nil {
		item(b, "in the app", k.remedy.app[unknown])
		for _, l := range languages {
			item(b, string(l), k.remedy.app[l])
		}
	}
}

// codeIndent marks a line of a fix as code, as in Markdown.
const codeIndent = "    "

// item writes a fix as an item of a list: its prose, in which nothing is Markdown,
// and its code as a block.
func item(b *strings.Builder, who, what string) {
	fmt.Fprintf(b, "- **%s**:", who)
	inCode := false
	for line := range strings.SplitSeq(what, "\n") {
		text, code := strings.CutPrefix(line, codeIndent)
		if code != inCode {
			b.WriteString("\n  ```")
		}
		if inCode = code; code {
			b.WriteString("\n  " + text)
		} else {
			b.WriteString(" " + plain.Replace(text))
		}
	}
	if inCode {
		b.WriteString("\n  ```")
	}
	b.WriteByte('\n')
}

var plain = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", "[", "\\[", "|", "\\|")
