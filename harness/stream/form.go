package stream

import (
	"bytes"
	"slices"
	"strings"
)

// A Form is a way of writing an answer down, as its first bytes and its media
// type show it. It tells the user's choice of a dialect from a broken server.
type Form string

const (
	FormUnknown Form = ""

	// Streams.

	FormSSE         Form = "server-sent events"
	FormOpenAI      Form = "OpenAI chat completions"
	FormResponses   Form = "OpenAI Responses events"
	FormAnthropic   Form = "Anthropic Messages events"
	FormGemini      Form = "Gemini events"
	FormVercelParts Form = "Vercel AI SDK message parts"
	FormNDJSON      Form = "NDJSON"
	FormOllama      Form = "Ollama's lines"
	FormVercelLines Form = "Vercel AI SDK data stream lines"
	FormAWS         Form = "AWS event stream"
	FormGRPC        Form = "gRPC messages"
	FormMultipart   Form = "multipart"
	FormJSONSeq     Form = "JSON text sequence"
	FormMedia       Form = "binary media"
	FormEncoded     Form = "encoded body" // in a Content-Encoding that we do not decode

	// Documents: whole by themselves, and never a stream.

	FormJSON Form = "one JSON document"
	FormHTML Form = "an HTML page"
)

// A way is how to have a form read: the dialect, and the terminal expression for
// a generic one.
type way struct {
	form              Form
	dialect, terminal string
}

// ways lists the forms that some dialect reads.
var ways = []way{
	{FormOpenAI, "openai-chat", ""},
	{FormOllama, "ollama", ""},
	{FormResponses, "openai-responses", ""},
	{FormAnthropic, "anthropic-messages", ""},
	{FormGemini, "gemini", ""},
	{FormVercelParts, "vercel-ui", ""},
	{FormVercelLines, "vercel-ui", ""},
	{FormAWS, "bedrock-eventstream", ""},
	{FormSSE, "sse-generic", ""},
	{FormNDJSON, "ndjson-generic", ""},
}

// ReadBy is the dialect that reads a form best, with the terminal expression that
// it needs where that is known; both are empty where none does.
func (f Form) ReadBy() (dialect, terminal string) {
	for _, w := range ways {
		if w.form == f {
			return w.dialect, w.terminal
		}
	}
	return "", ""
}

// Streams reports whether f is a stream: not one document, and not unknown.
func (f Form) Streams() bool { return f != FormUnknown && f != FormJSON && f != FormHTML }

// mediaForms are media types that say by themselves what a body is: no text. A name that ends in /
// stands for all of its subtypes.
var mediaForms = []struct {
	prefix string
	form   Form
}{
	{"application/vnd.amazon.eventstream", FormAWS},
	{"application/grpc", FormGRPC},        // and grpc-web, +proto, +json
	{"application/connect+", FormGRPC},    // Connect's streams have the same envelope
	{"application/x-protobuf", FormMedia}, //
	{"application/protobuf", FormMedia},   //
	{"application/vnd.google.protobuf", FormMedia},
	{"application/cbor-seq", FormMedia},
	{"application/json-seq", FormJSONSeq}, // RFC 7464
	{"application/msgpack", FormMedia},
	{"multipart/", FormMultipart},
	{"audio/", FormMedia},
	{"video/", FormMedia},
	{"image/", FormMedia},
	{"font/", FormMedia},
}

// MediaForm is the form of a body that its media type alone proves to be no text,
// FormUnknown for all others. Of them only AWS event streams have a dialect.
func MediaForm(contentType string) Form {
	kind := mediaType(contentType)
	for _, m := range mediaForms {
		if strings.HasPrefix(kind, m.prefix) {
			return m.form
		}
	}
	return FormUnknown
}

func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// Confirmed is the form that text has where its media type says the same, or where
// nothing but that form looks so: read as text, its own errors would be overlooked.
func (f Form) Confirmed(contentType string) Form {
	media := mediaType(contentType)
	switch {
	case f == FormVercelLines:
		return f
	case media == "text/event-stream" && f.Streams() && f != FormNDJSON && f != FormOllama:
		return f
	case lineMedia(media) && (f == FormNDJSON || f == FormOllama || f == FormJSON):
		return FormNDJSON
	}
	return FormUnknown
}

// lineMedia reports whether a media type is that of lines of JSON.
func lineMedia(media string) bool {
	switch media {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return true
	}
	return false
}

// Recognise tells what a body is by its media type and its first bytes.
func Recognise(contentType string, start []byte) Form {
	if f := MediaForm(contentType); f != FormUnknown {
		return f
	}
	start = bytes.TrimLeft(bytes.TrimPrefix(start, []byte(byteOrderMark)), " \t\r\n")
	switch {
	case fieldLine(start):
		return eventForm(start)
	case vercelLine(start):
		return FormVercelLines
	case bytes.HasPrefix(start, []byte("<")) && (mediaType(contentType) == "text/html" || page(start)):
		return FormHTML
	case bytes.HasPrefix(start, []byte("{")):
		return objectForm(mediaType(contentType), start)
	}
	return FormUnknown
}

// page reports whether b begins an HTML or XML page.
func page(b []byte) bool {
	b = bytes.ToLower(b[:min(len(b), 16)])
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<?xml", "<h1", "<title"} {
		if bytes.HasPrefix(b, []byte(tag)) {
			return true
		}
	}
	return false
}

// fieldLine reports whether b begins with a line that only server-sent events
// have.
func fieldLine(b []byte) bool {
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(b, []byte(field)) {
			return true
		}
	}
	return false
}

// eventForm tells the APIs over server-sent events apart, by words that stand in
// their first events.
func eventForm(b []byte) Form {
	has := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case has(`"choices"`, `chat.completion`):
		return FormOpenAI
	case has("response.created", "response.in_progress"):
		return FormResponses
	case has("message_start"):
		return FormAnthropic
	case has(`"candidates"`):
		return FormGemini
	case has(`"type":"start"`, `"type": "start"`, `"type":"text-delta"`):
		return FormVercelParts
	}
	return FormSSE
}

// vercelLine reports whether b begins with a part of the data stream protocol:
// one letter or digit, a colon, a JSON value.
func vercelLine(b []byte) bool {
	if len(b) < 3 || b[1] != ':' || !isDigits(b[:1]) && !isLetter(b[0]) {
		return false
	}
	line, _, whole := bytes.Cut(b[2:], []byte("\n"))
	return (b[2] == '"' || b[2] == '{' || b[2] == '[') && (!whole || validJSON(line))
}

// objectForm tells lines of JSON objects from one document.
func objectForm(media string, b []byte) Form {
	first, rest, more := bytes.Cut(b, []byte("\n"))
	whole := validJSON(bytes.TrimSpace(first))
	switch {
	case whole && bytes.Contains(first, []byte(`"model"`)) &&
		(bytes.Contains(first, []byte(`"done"`)) || bytes.Contains(first, []byte(`"created_at"`))):
		return FormOllama
	case lineMedia(media):
		return FormNDJSON
	case whole && more && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("{")):
		return FormNDJSON
	}
	return FormJSON
}

// Reads reports whether d can make sense of a form. The generic dialects, and those
// of users, read every API over their framing; text reads whatever is text.
func (d *Dialect) Reads(f Form) bool {
	switch f {
	case FormUnknown:
		return true
	case FormAWS:
		return d.Format.Name == EventStream.Name
	case FormGRPC, FormMultipart, FormMedia, FormEncoded, FormJSONSeq:
		return false
	}
	if d.Format.Name == Text.Name {
		return true
	}
	switch by, _ := f.ReadBy(); {
	case by == d.Name, d.Spec != nil && d.Spec.Like == by:
		return true
	case !d.framed(f):
		return false
	case f == FormSSE, f == FormNDJSON, d.NeedsTerminal:
		return true
	}
	return d.Spec != nil && !slices.Contains(order, d.Name)
}

// framed reports whether a form has the framing of the dialect, or one of its
// framings.
func (d *Dialect) framed(f Form) bool {
	names := []string{d.Format.Name}
	if d.Spec != nil {
		names = d.Spec.Format
	}
	want := "sse"
	switch f {
	case FormNDJSON, FormOllama:
		want = "ndjson"
	case FormVercelLines:
		want = PrefixedLines.Name
	}
	return slices.ContainsFunc(names, func(n string) bool { return n == want || want == "sse" && n == "sse-named" })
}
