package reports

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// CausesPage is harness/diagnose/README.md, rendered from the table of causes.
func CausesPage() string {
	var b strings.Builder
	b.WriteString(`# Causes

What can go wrong with a stream, as the diagnosis names it. Reports link to this page. It is rendered from the
table in [` + "`causes.go`](causes.go) and its words in package reports by\n" +
		"`go test ./reports -run TestCausesPage -update`" + `.
How to add a cause: [EXTEND.md](EXTEND.md).

The identifier in the first column is the "taxonomy" of verdict.json. Its letter is the family: A the answer and
what produces it, B buffering and framing, D timers, E processes and deploys, F event loops and threads, G clients
that leave, H capacity, J content and retries, N causes met in public reports; X is outside of them. Causes that
look alike from outside share one.
`)
	for _, f := range diagnose.Families {
		fmt.Fprintf(&b, "\n## %s\n\n| id | cause | layer |\n|---|---|---|\n", f.Title)
		for _, k := range f.Causes {
			fmt.Fprintf(&b, "| %s | [%s](#%s) | %s |\n", k.ID, k.Name, k.Anchor(), k.Layer)
		}
		for _, k := range f.Causes {
			renderCause(&b, k)
		}
	}
	return b.String()
}

func renderCause(b *strings.Builder, k diagnose.Known) {
	doc := causeDocs[k.Name]
	fmt.Fprintf(b, "\n### %s\n\n%s\n", k.Name, doc.line)
	if len(k.Alike) > 0 {
		b.WriteString("\nIt looks like\n")
	}
	for _, name := range k.Alike {
		fmt.Fprintf(b, "- [%s](#%s): %s\n", name, diagnose.Known{Name: name}.Anchor(), doc.alike[name])
	}
	edge, app := k.Remedies()
	if edge == "" && app == "" {
		b.WriteString("\nFix: the report says it; it depends on what was seen.\n")
		return
	}
	b.WriteString("\nFix\n")
	if edge != "" {
		item(b, "at the proxy", edgeFixes[edge][record.EdgeUnknown])
		for _, p := range record.EdgeProducts {
			item(b, p.String(), edgeFixes[edge][p])
		}
	}
	if app != "" {
		item(b, "in the app", appFixes[app][diagnose.AnyLanguage])
		for _, l := range diagnose.Languages {
			item(b, string(l), appFixes[app][l])
		}
	}
}

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
			b.WriteString(" " + noMarkdown.Replace(text))
		}
	}
	if inCode {
		b.WriteString("\n  ```")
	}
	b.WriteByte('\n')
}

var noMarkdown = strings.NewReplacer(
	"\\", "\\\\",
	"`", "\\`",
	"*", "\\*",
	"_", "\\_",
	"<", "&lt;",
	"[", "\\[",
	"|", "\\|",
)
