package logline

import (
	"regexp"
	"strings"
)

// maxTemplate bounds what is compared of a line, in bytes.
const maxTemplate = 400

// jsonText is the message of a JSON line, and its error.
var jsonText = regexp.MustCompile(`"(?:msg|message|event|error|err|level|severity|exception|` +
	`reason)"\s*:\s*"((?:[^"\\]|\\.)*)"`)

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
	return strip(line)
}

// strip replaces quoted texts, and words with a digit in them: numbers, times,
// addresses, IDs.
func strip(line string) string {
	var b strings.Builder
	b.Grow(len(line))
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == '"' || c == '\'' && (i == 0 || !inWord(line[i-1])):
			end := strings.IndexByte(line[i+1:], c)
			if end < 0 {
				end = len(line) - i - 2
			}
			b.WriteString("<text>")
			i += end + 2
		case inWord(c):
			j, number := i, false
			for j < len(line) && inWord(line[j]) {
				number = number || digit(line[j])
				j++
			}
			if number {
				b.WriteString("<n>")
			} else {
				b.WriteString(line[i:j])
			}
			i = j
		case c == ' ' || c == '\t':
			b.WriteByte(' ')
			for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
				i++
			}
		default:
			b.WriteByte(c)
			i++
		}
	}
	return strings.TrimSpace(b.String())
}

func inWord(c byte) bool {
	return digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80 ||
		strings.IndexByte("_.:/+@%-?&\\", c) >= 0
}

var (
	finished = regexp.MustCompile(`(?i)\b(?:finish(?:ed|ing)?|complet(?:e|ed|ion)|done|success(?:ful|fully)?|stream[ ` +
		`_-]?end(?:ed)?|all (?:tokens|chunks|events) sent|end of stream|delivered)\b`)
	negated = regexp.MustCompile(`(?i)\b(?:not|n't|never|un(?:finished|successful)|incomplete|fail(?:ed|ure|s)?|error|` +
		`abort(?:ed)?|cancel(?:l?ed)?|timed? ?out|disconnect(?:ed)?|closed|before|without|exception|interrupted|broken|` +
		`startup|shutdown)\b`)
	reaction = regexp.MustCompile(`(?i)disconnect|broken ?pipe|connection ?(?:reset|aborted|closed)|` +
		`client (?:closed|gone|left|hung|abort)|cancel|ECONNRESET|ECONNABORTED|EPIPE|context canceled|GeneratorExit|` +
		`hang ?up|prematurely by (?:the )?client|ClientAbort|closing transport|iostream\.StreamClosed|EofException|` +
		`premature close|STREAM_DESTROYED|forcibly closed|\bError: aborted\b|AbortError|AbortedException|` +
		`\brequest(?: \S+)? (?:was )?aborted(?:[."']|\s*$)|\baborted request \S+$|client closing|` +
		`NotUsableException|ClosedChannelException`)
	// failed are words of clients of HTTP and of databases, and of timers of the app: not
	// the other side left, but what the app itself had asked, or its patience ended.
	failed = regexp.MustCompile(`(?i)server ?disconnected|RemoteDisconnected|remote end closed|` +
		`closed by (?:the )?server|(?:statement|lock) timeout|due to conflict with recovery|aborted due to (?:a )?timeout`)
	// stopped are exceptions by which an app is told to stop, wherever it was.
	stopped = regexp.MustCompile(`(?i)cancel|GeneratorExit|AbortError|ClientDisconnect`)
)

// SaysFinished reports whether a line says that something came to its good end.
func SaysFinished(line string) bool { return finished.MatchString(line) && !negated.MatchString(line) }

// Reacts reports whether a line may be the app's answer to a connection that
// somebody else closed: such a line says when, and not who.
func Reacts(line string) bool { return reaction.MatchString(line) && !failed.MatchString(line) }

// Reacts reports whether a traceback may be such an answer. It is none where a timer
// of the app gave up, or where a connection broke that the app itself had opened.
func (t Trace) Reacts() bool {
	if !Reacts(t.Exception) {
		return false
	}
	if stopped.MatchString(t.Exception) {
		return !t.Timer || !abortion.MatchString(t.Exception)
	}
	return !t.Asked
}

// abortion is the exception of an AbortController, whoever used it.
var abortion = regexp.MustCompile(`AbortError`)
