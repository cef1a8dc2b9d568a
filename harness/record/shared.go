package record

import (
	"encoding/binary"
	"slices"
)

// A shared hands out one copy of what many streams of a run have in common: texts,
// and sets of header fields. It is bounded; what does not fit is not shared.
type shared struct {
	texts   map[string]string
	headers map[string]map[string]string // by their fields
	names   []string                     // of the header at hand, reused
	key     []byte                       // likewise
}

const (
	maxShared     = 4096 // of each kind
	maxSharedText = 512  // bytes
)

func newShared() *shared {
	return &shared{texts: map[string]string{}, headers: map[string]map[string]string{}}
}

// stream gives the texts of s their shared copies.
func (h *shared) stream(s *Stream) {
	share(h, &s.Group)
	share(h, &s.Limit)
	for _, text := range []*string{&s.Scenario, &s.Hop, &s.Replica, &s.Proto, &s.ContentType, &s.Encoding,
		&s.AcceptEncoding, &s.Start} {
		share(h, text)
	}
	s.Header = h.header(s.Header)
	w, c := &s.Wire, &s.Content
	share(h, &w.Framing)
	share(h, &w.Close)
	share(h, &w.Where)
	share(h, &w.Garbage)
	share(h, &w.Err)
	share(h, &c.State)
	share(h, &c.Fault)
	share(h, &c.Form)
	for _, text := range []*string{&c.Why, &c.ErrorText, &c.Worker, &c.LastEvent, &c.Leftover, &c.Reason, &c.Other} {
		share(h, text)
	}
}

// share replaces a text by its shared copy.
func share[T ~string](h *shared, text *T) {
	own := string(*text)
	if own == "" || len(own) > maxSharedText {
		return
	}
	if s, ok := h.texts[own]; ok {
		*text = T(s)
	} else if len(h.texts) < maxShared {
		h.texts[own] = own
	}
}

// header is one copy of the fields for all streams that have the same. It must not
// be written to.
func (h *shared) header(fields map[string]string) map[string]string {
	if len(fields) == 0 {
		return fields
	}
	h.names, h.key = h.names[:0], h.key[:0]
	for name := range fields {
		h.names = append(h.names, name)
	}
	slices.Sort(h.names)
	for _, name := range h.names {
		for _, part := range []string{name, fields[name]} {
			h.key = append(binary.AppendUvarint(h.key, uint64(len(part))), part...)
		}
	}
	if one, ok := h.headers[string(h.key)]; ok {
		return one
	}
	if len(h.headers) < maxShared && len(h.key) <= 4*maxSharedText {
		h.headers[string(h.key)] = fields
	}
	return fields
}
