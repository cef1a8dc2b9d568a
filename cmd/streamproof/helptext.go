package main

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/reports"
)

// helpWidth is how wide the help is where it goes to no terminal.
const helpWidth = 100

// widthOf is how many columns the command may print: those of the terminal, or of
// COLUMNS, which shells and man set.
func widthOf(cmd *cobra.Command) int { return cmp.Or(knownWidth(cmd), helpWidth) }

// knownWidth is the width of the screen; 0 for a pipe, where nobody says.
func knownWidth(cmd *cobra.Command) int {
	if s := reports.ScreenOf(cmd.OutOrStdout()); s.Width > 0 {
		return s.Width
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 20 {
		return n
	}
	return 0
}

// reflowed breaks each line of a list between words, and keeps its indent. A width of 0
// breaks none.
func reflowed(text string, width int) string {
	if width == 0 {
		return text
	}
	var out []string
	for _, line := range strings.Split(text, "\n") {
		words := strings.TrimLeft(line, " ")
		if words == "" {
			out = append(out, line)
			continue
		}
		out = append(out, fill(words, line[:len(line)-len(words)], width)...)
	}
	return strings.Join(out, "\n")
}

// wrapped breaks lines between words, and nowhere else: a word that is longer than a
// line is a command to be pasted. Lines that begin at the margin are a paragraph;
// those behind spaces stay lines.
func wrapped(text string, width int) string {
	var out, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, fill(strings.Join(paragraph, " "), "", width)...)
		}
		paragraph = nil
	}
	for _, line := range strings.Split(text, "\n") {
		words := strings.TrimLeft(line, " ")
		switch indent := line[:len(line)-len(words)]; {
		case words != "" && indent == "":
			paragraph = append(paragraph, line)
		case ansi.StringWidth(line) <= width:
			flush()
			out = append(out, line)
		default:
			flush()
			out = append(out, fill(words, indent, width)...)
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// fill sets words in lines.
func fill(text, indent string, width int) []string {
	return reports.Wrap(strings.Join(strings.Fields(text), " "), indent, width)
}

// flagUsages lists flags. Where the screen is too narrow for two columns, what each
// does stands under it.
func flagUsages(fs *pflag.FlagSet, width int) string {
	if width >= 80 {
		return strings.TrimRight(fs.FlagUsagesWrapped(width), "\n")
	}
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(fs.FlagUsages(), "\n"), "\n") {
		name, what, _ := strings.Cut(strings.TrimLeft(line, " "), "   ")
		b.WriteString("  " + name + "\n" + wrapped("      "+strings.TrimSpace(what), width) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// helpFuncs gives help's templates the functions that fit it. cobra keeps them in one
// table for all commands, and tests make several at once.
var helpFuncs = sync.OnceFunc(func() {
	cobra.AddTemplateFunc("wrapped", func(cmd *cobra.Command, text string) string { return wrapped(text, widthOf(cmd)) })
	cobra.AddTemplateFunc("flags", func(cmd *cobra.Command, fs *pflag.FlagSet) string {
		return flagUsages(fs, widthOf(cmd))
	})
})

// narrow makes the command's help fit.
func narrow(root *cobra.Command) {
	helpFuncs()
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{wrapped $ . | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`)
	usage := strings.ReplaceAll(root.UsageTemplate(), ".LocalFlags.FlagUsages", "flags . .LocalFlags")
	usage = strings.ReplaceAll(usage, "  {{rpad .Name .NamePadding }} {{.Short}}",
		`{{wrapped $ (printf "  %s %s" (rpad .Name .NamePadding) .Short)}}`)
	root.SetUsageTemplate(usage)
}
