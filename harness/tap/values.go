package tap

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// Values are what a request may say of the stream that it is for: each stands in
// for its place in path, headers and body.
type Values struct {
	Nonce  string // {nonce}
	Seq    uint64 // {seq}: the stream's number in the run
	Prompt string // {prompt}
	Turn   Turn   // {turn}, {answer}, {answer.1} and so on, in bodies alone
}

// The places. NoncePlace stands in a request's path, headers and body for the
// stream's nonce, and so on.
const (
	NoncePlace  = "{nonce}"
	SeqPlace    = "{seq}"
	PromptPlace = "{prompt}"
	TurnPlace   = "{turn}"
	answerStart = "{answer" // {answer} or {answer.1}
)

// URL fills a URL or a path, where package net/url may have escaped the places.
func (v Values) URL(s string) string {
	if !strings.ContainsAny(s, "{%") {
		return s
	}
	seq, prompt := strconv.FormatUint(v.Seq, 10), url.QueryEscape(v.Prompt)
	return strings.NewReplacer(NoncePlace, v.Nonce, url.PathEscape(NoncePlace), v.Nonce, SeqPlace, seq,
		url.PathEscape(SeqPlace), seq,
		PromptPlace, prompt, url.PathEscape(PromptPlace), prompt).Replace(s)
}

// Field fills the value of a header field, which is one line.
func (v Values) Field(s string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	return strings.NewReplacer(NoncePlace, v.Nonce, SeqPlace, strconv.FormatUint(v.Seq, 10),
		PromptPlace, strings.Join(strings.Fields(v.Prompt), " ")).Replace(s)
}

// Body fills a body. In one of JSON the prompt is escaped, as the inside of a string
// (RFC 8259 section 7).
func (v Values) Body(b []byte, isJSON bool) []byte {
	turns := v.Turn.N > 0 && (bytes.Contains(b, []byte("{turn}")) || bytes.Contains(b, []byte(answerStart)))
	if !turns && !bytes.Contains(b, []byte("{nonce}")) && !bytes.Contains(b, []byte("{seq}")) &&
		!bytes.Contains(b, []byte("{prompt}")) {
		return b
	}
	escaped := func(s string) string { return s }
	if isJSON {
		escaped = inJSON
	}
	places := []string{NoncePlace, v.Nonce, SeqPlace, strconv.FormatUint(v.Seq, 10), PromptPlace, escaped(v.Prompt)}
	if turns {
		places = v.Turn.places(places, escaped)
	}
	return []byte(strings.NewReplacer(places...).Replace(string(b)))
}

// places adds those of a turn, each before what stands in for it. An answer that is not
// there yet is empty.
func (t *Turn) places(to []string, escaped func(string) string) []string {
	said := func(n int) string {
		if n < 1 || n > len(t.Answers) {
			return ""
		}
		return escaped(t.Answers[n-1])
	}
	to = append(to, TurnPlace, strconv.Itoa(t.N), answerStart+"}", said(t.N-1))
	for n := 1; n < t.Of; n++ {
		to = append(to, answerStart+"."+strconv.Itoa(n)+"}", said(n))
	}
	return to
}

// inJSON is s between the quotes of a JSON string.
func inJSON(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil { // a string always encodes
		return s
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// IsJSON reports whether a media type is JSON (RFC 6839 section 3.1).
func IsJSON(media string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(media), ";")
	kind = strings.TrimSpace(kind)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
