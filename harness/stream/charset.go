package stream

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Plain text is in the charset that its Content-Type declares. The bytes of another
// than UTF-8 are taken as they are: none of them can be called wrong.
//
// The other formats are UTF-8 whatever is declared, and bytes that are none are
// damage there: server-sent events by WHATWG HTML section 9.2.5, JSON, and so its
// lines and arrays, by RFC 8259 section 8.1.

// CharsetOf is the charset that a Content-Type declares, in lower case; "" for UTF-8,
// and where it declares none.
func CharsetOf(contentType string) string {
	_, params, _ := strings.Cut(contentType, ";")
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "charset") {
			continue
		}
		switch value = strings.ToLower(strings.Trim(value, " \t\"'")); value {
		case "utf-8", "utf8", "us-ascii", "ascii": // ASCII is UTF-8, and many send UTF-8 by this name
			return ""
		}
		return value
	}
	return ""
}

// sentinelsIn are the ways in which a charset writes a sentinel, none where that is
// not known. UTF-16 has two orders of bytes, and a body need not say which is its own.
func sentinelsIn(charset, sentinel string) []string {
	switch {
	case charset == "" || sentinel == "":
		return []string{sentinel}
	case strings.HasPrefix(charset, "utf-16"):
		var little, big []byte
		for _, unit := range utf16.Encode([]rune(sentinel)) {
			little = binary.LittleEndian.AppendUint16(little, unit)
			big = binary.BigEndian.AppendUint16(big, unit)
		}
		return []string{string(little), string(big)}
	case strings.HasPrefix(charset, "utf-32"):
		return nil
	}
	if latin, ok := latin1(sentinel); ok && latinCharsets[charset] {
		return []string{latin}
	}
	for _, r := range sentinel {
		if r >= 0x80 {
			return nil
		}
	}
	return []string{sentinel} // all others write ASCII as it is
}

// latinCharsets write the characters of Latin-1 above 0x9f in the same bytes.
var latinCharsets = map[string]bool{"iso-8859-1": true, "iso8859-1": true, "latin1": true, "latin-1": true,
	"windows-1252": true, "cp1252": true}

// latin1 writes s in Latin-1, without its control characters; false if it has others.
func latin1(s string) (string, bool) {
	var b []byte
	for _, r := range s {
		if r > 0xff || r >= 0x80 && r < 0xa0 {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

// Decoder returns a decoder for one stream, as [Format.New] does. In text that is not
// UTF-8 it looks for no cut character.
func (d *Dialect) Decoder(l Limits, a Ask) Decoder {
	if d.Format.Name == Text.Name && a.Charset != "" {
		return &textDecoder{opaque: true}
	}
	return d.Format.New(l)
}
