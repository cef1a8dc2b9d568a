package tap

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A body is what a flight knows of its response body: how it is compressed and
// which decoder reads it.
type body struct {
	inflate *inflater // nil where the body comes as it is
	dec     stream.Decoder
	reader  stream.Reader
	dialect *stream.Dialect
	plain   int64  // bytes after decompression
	text    []byte // the start of an error response, or of a body without content
	err     error  // why the rest is not decoded
}

// maxErrorText is how much of an error response is kept.
const maxErrorText = 500

// maxStart is how much is kept of the start of a body without content: an error
// that came instead of a stream is read from it.
const maxStart = stream.MaxLeftover

// open gets ready for the body of a response with head h. The body of an error
// response, or of a redirect (status >= 300), is no stream: its start is kept as it
// is.
func (b *body) open(f *flight, h *head) {
	if d := f.job.Dialect; d != nil && h.Status < 300 {
		ask := f.job.Ask
		ask.Charset = stream.CharsetOf(h.ContentType)
		b.dec = d.Decoder(stream.Limits{Frame: max(0, f.limits.Frame)}, ask)
		b.reader = d.Reader(ask)
		b.dialect = d
	}
	if h.Encoding == "" || f.resp.Whole() {
		return
	}
	if b.inflate, b.err = newInflater(h.Encoding, f.limits.Inflated, func(p []byte) bool {
		b.read(p, f)
		return f.halt == nil
	}); b.err != nil {
		b.dec = nil
	}
}

// push takes the next bytes of the body as the framing gave them.
func (b *body) push(p []byte, f *flight) {
	if b.inflate == nil {
		b.read(p, f)
		return
	}
	err := b.inflate.push(p)
	switch {
	case err == nil:
	case errors.Is(err, errInflated):
		f.stop(record.InflateSize, err)
	default:
		b.err = err
		f.stop(record.NoLimit, err)
	}
}

// read takes the next bytes of the body after decompression.
func (b *body) read(p []byte, f *flight) {
	b.plain += int64(len(p))
	if b.dec == nil {
		b.keep(p, maxErrorText)
		return
	}
	if err := b.dec.Push(p, f); err != nil {
		f.stop(record.FrameSize, err)
	}
	if f.rec.Contents == 0 {
		b.keep(p, maxStart)
	} else {
		b.text = nil
	}
}

// keep adds the start of p to the text, up to size bytes in all.
func (b *body) keep(p []byte, size int) {
	b.text = append(b.text, p[:min(len(p), max(0, size-len(b.text)))]...)
}

// close sums the content up. whole says that the framing ended the body. A body that
// the close ends has no such sign; where it is compressed, its data have an end of
// their own: one that closed before it was cut, one that reached it is whole however
// the connection ended.
func (b *body) close(f *flight, whole bool) {
	rec := &f.rec
	if b.inflate != nil {
		byClose := rec.Wire.Framing == record.CloseDelimited && rec.Wire.Close != record.CloseNone
		err := b.inflate.close(whole || byClose && rec.Wire.Close == record.CloseFIN)
		if err != nil && b.err == nil && f.halt == nil {
			b.err = err
		}
		if byClose && b.inflate.begun && b.inflate.ended && b.err == nil {
			rec.Wire.Where = record.AtEnd
		}
	}
	if b.reader == nil {
		rec.Content = stream.Summary{State: stream.Empty, ErrorText: string(b.text)}
		return
	}
	if b.dec != nil {
		tail := bytes.Clone(stream.Tail(b.dec))
		if rec.Partial = b.dec.Close(f); rec.Partial > 0 {
			stream.Leave(b.dialect.Format, b.reader, tail)
		}
	}
	if rec.Contents == 0 && !errors.Is(b.err, errEncoding) {
		rec.Start = strings.ToValidUTF8(string(b.text[:min(len(b.text), maxStart)]), "")
	}
	rec.Content = b.reader.Close(rec.Partial)
	b.form(rec)
	if b.err == nil {
		return
	}
	if errors.Is(b.err, errEncoding) {
		return // form has said so: that is our own limit
	}
	// What could not be decompressed is not sound, whatever came before.
	rec.Content.State = stream.Corrupt
	if errors.Is(b.err, errCutInflate) {
		rec.Content.State = stream.CutFrame
	}
	rec.Content.Why = fmt.Sprint(b.err)
}

// form tells what a body is that our dialect made nothing of, so that the user's
// choice of a dialect, and what we cannot read at all, are not taken for a fault
// of the server.
func (b *body) form(rec *record.Stream) {
	form := rec.Content.Form
	switch {
	case errors.Is(b.err, errEncoding):
		form = stream.FormEncoded
	case form.Confirmed(rec.ContentType) != stream.FormUnknown && b.dialect.Format.Name == stream.Text.Name:
		form = form.Confirmed(rec.ContentType)
	case rec.Content.State == stream.Complete:
		form = stream.FormUnknown
	case !b.dialect.Reads(stream.MediaForm(rec.ContentType)):
		form = stream.MediaForm(rec.ContentType)
	case rec.Contents == 0 && rec.Content.Errors == 0:
		seen := stream.Recognise(rec.ContentType, []byte(rec.Start))
		if form == stream.FormUnknown && seen.Streams() && b.dialect.Reads(seen) {
			seen = stream.FormUnknown
		}
		if form == stream.FormUnknown || seen.Streams() {
			form = seen
		}
	case b.dialect.Format.Name == stream.Text.Name:
		form = stream.FormUnknown
	}
	rec.Content.Form = form
}
