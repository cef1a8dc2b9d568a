package paste

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
)

// Others are the flags of other programs that our texts name.
var Others = []string{
	"--backlog", "--config", "--graceful-timeout", "--keep-alive", "--max-requests", "--max-requests-jitter", "--threads",
	"--timeout", "--worker-class", "--worker-connections", // gunicorn
	"--limit-concurrency", "--limit-max-requests", "--timeout-graceful-shutdown", "--timeout-keep-alive", // uvicorn
	"--drain-time-s", "--parent-shutdown-time-s", // Envoy
	"--attributes", "--load-balancer-arn", "--target-group-arn", // aws elbv2
	"--max-old-space-size",   // node
	"--context",              // kubectl
	"--abbrev-ref",           // git
	"--capacity", "--listen", // cmd/origin
	"--watch", "--port", "--help", // the reader's own program, and every command
}

// Flag is a flag in a text.
var Flag = regexp.MustCompile(`(?:^|[\s'"(=:/])(--[a-z][a-z0-9-]*[a-z0-9])`)

// configKey is a key of streamproof.yaml in a sentence.
var configKey = regexp.MustCompile(`(?:^|[\s(])((?:app|edge|limits|load|stream|thresholds|tls)(?:\.[a-z][a-z0-9_]*)+)`)

// otherEnds are what follows the dot in names of files and hosts that look like keys.
var otherEnds = []string{
	"internal", "local", "example", "test", "log", "py", "js", "go", "conf", "txt", "jsonl", "json", "yaml",
}

// Prose checks a sentence: the flags that it names are ours, or known to be another
// program's, and take the values that stand behind them; the keys of streamproof.yaml
// that it names are keys.
func Prose(text string) error {
	var errs []error
	for _, m := range Flag.FindAllStringSubmatchIndex(text, -1) {
		if err := flagIn(text[m[2]:m[3]], text[m[3]:]); err != nil {
			errs = append(errs, fmt.Errorf("%w: %s", err, text))
		}
	}
	all, err := keys()
	errs = append(errs, err)
	for _, m := range configKey.FindAllStringSubmatchIndex(text, -1) {
		key, rest := text[m[2]:m[3]], text[m[3]:]
		if slices.Contains(otherEnds, key[strings.LastIndexByte(key, '.')+1:]) {
			continue
		}
		if !all[key] {
			errs = append(errs, fmt.Errorf("streamproof.yaml has no key %s: %s", key, text))
		} else if value, ok := strings.CutPrefix(rest, ": {"); ok {
			inside, _, closed := strings.Cut(value, "}")
			if err := yamlOf(key, "{"+inside+"}"); err != nil || !closed {
				errs = append(errs, fmt.Errorf("%s: %w: %s", key, err, text))
			}
		}
	}
	return errors.Join(errs...)
}

// flagIn checks a flag with the text behind it.
func flagIn(flag, behind string) error {
	known, err := commands()
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(flag, "--")
	for _, command := range []string{program + " run", program + " diagnose", program + " probe", program + " search",
		program + " shrink", program + " compare", program + " report", program + " init"} {
		if k, ok := known[command][name]; ok {
			return valueIn(name, k, behind)
		}
	}
	if slices.Contains(Others, flag) {
		return nil
	}
	return fmt.Errorf("no command has the flag %s", flag)
}

// placeholder stands for a value that the reader has to put there, and is no sentence's
// word.
var placeholder = regexp.MustCompile(`^([A-Za-z]+=)?[A-Z][A-Z_]*$`)

// valueIn checks the value of a flag in a sentence, where one stands behind it: a word of
// the sentence is none, unless the flag takes words of its own.
func valueIn(name string, k kind, behind string) error {
	rest, spaced := strings.CutPrefix(behind, " ")
	if k.value == "bool" || !spaced || rest == "" {
		return nil
	}
	word, quoted, err := firstWord(rest)
	if err != nil {
		return fmt.Errorf("the value of --%s is no word of a shell: %w", name, err)
	}
	if !quoted {
		word = strings.TrimRight(word, ",;:.)")
	}
	if word == "" || placeholder.MatchString(word) || !quoted && plainWord.MatchString(word) {
		return nil
	}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	if err := k.add(set, name); err != nil {
		return err
	}
	if err := set.Set(name, word); err != nil {
		return err
	}
	if err := meaning(name, word); err != nil {
		return fmt.Errorf("--%s %s: %w", name, word, err)
	}
	return nil
}

// plainWord is a word of a sentence, or a name.
var plainWord = regexp.MustCompile(`^[A-Za-z][a-z-]*$`)

// firstWord is the word that a shell reads first, and whether it is quoted. A bracket or
// a semicolon of the sentence ends it.
func firstWord(text string) (word string, quoted bool, err error) {
	if text[0] != '\'' && text[0] != '"' && text[0] != '$' {
		word, _, _ = strings.Cut(text, " ")
		if strings.ContainsAny(strings.TrimRight(word, ",;:.)"), "&;|<>()*?$`\"'\\") {
			return "", false, fmt.Errorf("unquoted: %s", word)
		}
		return word, false, nil
	}
	for w, err := range syntax.NewParser(syntax.Variant(syntax.LangBash)).WordsSeq(strings.NewReader(text)) {
		if err != nil {
			return "", true, err
		}
		if n := len(w.Parts) - 1; n > 0 { // the sentence goes on behind the quotes
			if lit, ok := w.Parts[n].(*syntax.Lit); ok && strings.Trim(lit.Value, ",;:.") == "" {
				w.Parts = w.Parts[:n]
			}
		}
		fields, err := expand.Fields(&expand.Config{Env: expand.ListEnviron(readers...), NoUnset: true}, w)
		return strings.Join(fields, " "), true, err
	}
	return "", true, nil
}

// yamlOf reads a value of a key as the program does.
func yamlOf(key, value string) error {
	parts := strings.Split(key, ".")
	for _, p := range slices.Backward(parts) {
		value = "{" + p + ": " + value + "}"
	}
	_, err := config.Parse("streamproof.yaml", []byte(value))
	return err
}
