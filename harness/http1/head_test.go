package http1_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/http1"
)

// Codings that change nothing are none, also among others.
func TestContentEncoding(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "identity": "", "none": "", "None": "", "identity, none": "", "GZip": "gzip", "gzip, identity": "gzip",
		"none,br": "br", "gzip, br": "gzip, br", "snappy": "snappy",
	} {
		var h http1.Head
		if h.Take([]byte("content-encoding"), []byte(value)); h.Encoding != want {
			t.Errorf("%q: %q, want %q", value, h.Encoding, want)
		}
	}
	// Several fields are one list.
	var h http1.Head
	for _, value := range []string{"identity", "gzip", "none", "br"} {
		h.Take([]byte("content-encoding"), []byte(value))
	}
	if h.Encoding != "gzip, br" {
		t.Errorf("several fields: %q", h.Encoding)
	}
}
