package logline

import (
	"regexp"
	"strings"
)

// stripping takes out of a line what differs from one writing to the next, the
// longer first.
var stripping = []struct {
	what *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`https?://[^\s"']+`), "<url>"},
	{regexp.MustCompile(`"[^"]*"`), "<text>"},
	{regexp.MustCompile(`'[^']*'`), "<text>"},
	{regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`), "<id>"},
	{regexp.MustCompile(`\b[A-Z][a-z]{2},? (?:[A-Z][a-z]{2} )?[ \d]\d\b`), "<n>"},
	{regexp.MustCompile(`\b\d{1,2}[/-][A-Z][a-z]{2}[/-]\d{4}\b`), "<n>"},
	{regexp.MustCompile(`0x[0-9a-fA-F]+`), "<n>"},
	{regexp.MustCompile(`\b[A-Za-z]+[-_]?\d[0-9A-Za-z_-]*\b`), "<id>"}, // req17, nonce-3
	{regexp.MustCompile(`\b[0-9a-fA-F]{12,}\b`), "<id>"},
	{regexp.MustCompile(`[+-]?\d+(?:[.:,/-]\d+)*(?:\s?(?:ns|us|µs|ms|s|m|h|b|kb|mb|KiB|MiB|B)\b)?`), "<n>"},
	{regexp.MustCompile(`(?:<n>[\s.:,;TZ/+-]*){2,}`), "<n> "},
}

// maxTemplate bounds what is compared of a line, in bytes.
const maxTemplate = 400

// jsonText is the message of a JSON line, and its error.
var jsonText = regexp.MustCompile(`"(?:msg|message|event|error|err|level|severity|exception|reason)"\s*:\s*"((?:[^"\\]|\\.)*)"`)

// Template strips a line of numbers, IDs, times and quoted texts, so that two
// writings of one statement in a program are the same. Of JSON the message, the
// level and the error are kept.
func Template(line string) string {
	if strings.HasPrefix(line, "{") {
		if parts := jsonText.FindAllStringSubmatch(line, -1); parts != nil {
			words := make([]string, len(parts))
			for i, p := range parts {
				words[i] = p[1]
			}
			line = strings.Join(words, " | ")
		}
	}
	if len(line) > maxTemplate {
		line = line[:maxTemplate]
	}
	for _, s := range stripping {
		line = s.what.ReplaceAllString(line, s.to)
	}
	return strings.Join(strings.Fields(line), " ")
}

var (
	finished = regexp.MustCompile(`(?i)\b(?:finish(?:ed|ing)?|complet(?:e|ed|ion)|done|success(?:ful|fully)?|stream[ _-]?end(?:ed)?|all (?:tokens|chunks|events) sent|end of stream|delivered)\b`)
	negated  = regexp.MustCompile(`(?i)\b(?:not|n't|never|un(?:finished|successful)|incomplete|fail(?:ed|ure|s)?|error|abort(?:ed)?|cancel(?:l?ed)?|timed? ?out|disconnect(?:ed)?|closed|before|without|exception|interrupted|broken|startup|shutdown)\b`)
	reaction = regexp.MustCompile(`(?i)disconnect|broken ?pipe|connection (?:reset|aborted|closed)|client (?:closed|gone|left|hung|abort)|cancel|ECONNRESET|EPIPE|context canceled|GeneratorExit|hang ?up|prematurely by (?:the )?client|ClientAbort`)
)

// SaysFinished reports whether a line says that something came to its good end.
func SaysFinished(line string) bool { return finished.MatchString(line) && !negated.MatchString(line) }

// Reacts reports whether a line may be the app's answer to a connection that
// somebody else closed: such a line says when, and not who.
func Reacts(line string) bool { return reaction.MatchString(line) }
