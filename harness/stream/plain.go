package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// text: plain text says nothing about its own end, so the caller must: by the
// sentinel that ends it, its length, its digest, or several of them, which must
// all hold. With none of them it is held against what the same question is known to
// get (Ask.Reference); where that is not known either, or the app answers each time
// anew, the answer is unprovable. Text is taken for UTF-8
// unless another charset is declared or a digest proves it.
//
// A sentinel counts where it ends the body. Text may hold it elsewhere, so only a
// second one right before the end is reported as a repeated terminal.

// A textReader follows one plain text answer.
type textReader struct {
	tally
	sentinel string // as the text has it
	swapped  string // the same in the other order of bytes; "" for none
	asked    string // as the user has it
	charset  string // "" for UTF-8
	length   int64
	digest   string    // lower-case hex
	sha      hash.Hash // nil if no digest is declared
	size     int64
	start    []byte // the first bytes, at most maxTextStart
	end      []byte // the last bytes, at most two sentinels
	ref      string // "" if something is declared, or nothing is known
	part     bool   // the text is no beginning of ref
	chars    utf8Check
	splice   spliceFinder
}

func newText(a Ask) Reader {
	r := &textReader{asked: a.Sentinel, charset: a.Charset, length: a.Length, digest: strings.ToLower(a.SHA256)}
	if written := sentinelsIn(a.Charset, a.Sentinel); len(written) > 0 {
		r.sentinel = written[0]
		if len(written) > 1 {
			r.swapped = written[1]
		}
	}
	if a.SHA256 != "" {
		r.sha = sha256.New()
	}
	if a.Sentinel == "" && a.Length == 0 && r.sha == nil {
		r.ref = a.Reference
	}
	return r
}

// Read implements [Reader].
func (r *textReader) Read(f *Frame) Event {
	r.splice.push(f.Data, r.size)
	if r.charset == "" {
		r.chars.push(f.Data)
	}
	r.measure(f.Data)
	r.size += int64(len(f.Data))
	if len(r.start) < maxTextStart {
		r.start = append(r.start, f.Data[:min(len(f.Data), maxTextStart-len(r.start))]...)
	}
	r.keepEnd(f.Data)
	if r.sha != nil {
		r.sha.Write(f.Data)
	}
	r.events++
	// A read that brings the first text and the end at once is both. It counts as
	// content, since a first event is asked of every stream.
	if r.ended() && (r.contents > 0 || len(f.Data) <= len(r.sentinel)) {
		return Event{Kind: Terminal, Seq: -1}
	}
	r.contents++
	return Event{Kind: Content, Seq: -1}
}

// maxTextStart is how much of a text is kept to tell what it is, in bytes.
const maxTextStart = 120

// ended reports whether the answer may end here, by what is cheap to know.
func (r *textReader) ended() bool {
	if r.sentinel != "" {
		return r.sentinels() > 0
	}
	return r.length > 0 && r.size == r.length
}

// measure holds the next bytes against the reference.
func (r *textReader) measure(p []byte) {
	if r.ref == "" || r.part {
		return
	}
	rest := r.ref[min(r.size, int64(len(r.ref))):]
	r.part = len(p) > len(rest) || rest[:len(p)] != string(p)
}

// keepEnd keeps the last bytes of the text, enough for two sentinels.
func (r *textReader) keepEnd(p []byte) {
	keep := 2 * len(r.sentinel)
	if len(p) > keep {
		p = p[len(p)-keep:]
	}
	if over := len(r.end) + len(p) - keep; over > 0 {
		r.end = append(r.end[:0], r.end[over:]...)
	}
	r.end = append(r.end, p...)
}

// sentinels counts the sentinels at the end, at most two.
func (r *textReader) sentinels() (n int) {
	return max(endsWith(r.end, r.sentinel), endsWith(r.end, r.swapped))
}

// endsWith counts how often a sentinel stands at the end.
func endsWith(end []byte, sentinel string) (n int) {
	for ; sentinel != "" && bytes.HasSuffix(end, []byte(sentinel)); n++ {
		end = end[:len(end)-len(sentinel)]
	}
	return n
}

// Close implements [Reader].
func (r *textReader) Close(partial int) Summary {
	r.sum.Measured, r.sum.Differs = int64(len(r.ref)), r.part
	r.sum.Unprovable = r.sentinel == "" && r.length == 0 && r.sha == nil && (r.ref == "" || r.part)
	if r.sentinel == "" && r.length == 0 && r.sha == nil {
		r.sum.Form = Recognise("", r.start)
	}
	why, wrong := r.doubt()
	proven := why == ""
	r.sum.Terminals = r.sentinels()
	if proven {
		r.sum.Terminals = max(1, r.sum.Terminals)
		partial = 0
	}
	if wrong {
		r.corrupt("", why)
	}
	if !proven || r.sha == nil {
		r.scars()
	}
	return r.close(partial, proven, why)
}

// scars looks for what must not be in a text that no digest proves.
func (r *textReader) scars() {
	if r.splice.found {
		r.corrupt(SecondReply, fmt.Sprintf("byte %d: a second HTTP response was written into the text", r.splice.at))
	}
	if r.chars.bad {
		r.corrupt(NotUTF8, fmt.Sprintf("byte %d: not UTF-8", r.chars.at))
	}
}

// doubt says which declared proof does not hold, "" if all do. wrong means that
// the answer is not just short.
func (r *textReader) doubt() (why string, wrong bool) {
	whole := r.sentinel != "" || r.length > 0 // what ends the text is declared
	switch {
	case r.part:
		return "it says something else than the app's other answers to the same question, so nothing can prove that the " +
			"text is whole", false
	case r.ref != "" && r.size < int64(len(r.ref)):
		return fmt.Sprintf("%d bytes of the %d that the app answers to the same question", r.size, len(r.ref)), false
	case r.sum.Unprovable && r.asked != "":
		return fmt.Sprintf("the sentinel %q was declared, and how %s writes it is not known, so nothing can prove that the "+
			"text is whole", clip([]byte(r.asked), 40), clip([]byte(r.charset), 40)), false
	case r.sum.Unprovable:
		return "neither sentinel nor length nor sha256 was declared, so nothing can prove that the text is whole", false
	case r.length > 0 && r.size != r.length:
		return fmt.Sprintf("%d bytes of the %d declared", r.size, r.length), r.size > r.length
	case r.sentinel != "" && r.sentinels() == 0:
		return fmt.Sprintf("does not end with the sentinel %q", clip([]byte(r.asked), 40)), false
	case r.sha != nil && hex.EncodeToString(r.sha.Sum(nil)) != r.digest:
		if whole {
			return "whole by its length or sentinel, but its sha256 does not hold", true
		}
		return "its sha256 does not hold: cut or altered", false
	}
	return "", false
}
