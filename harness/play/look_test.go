package play

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// A compressed body that ends before its data do is cut, though HTTP says that it is whole.
func TestLookSeesCutCompression(t *testing.T) {
	var sent bytes.Buffer
	z := gzip.NewWriter(&sent)
	var pieces []Piece
	for _, text := range []string{"data: a\n\n", "data: b\n\n"} {
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, Piece{Upto: sent.Len()})
	}
	flushed := bytes.Clone(sent.Bytes())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := append(pieces[:len(pieces):len(pieces)], Piece{Upto: sent.Len()})
	for name, tt := range map[string]struct {
		look Look
		cut  bool
	}{
		"whole":             {Look{Encoding: "gzip", Body: sent.Bytes(), Pieces: whole}, false},
		"never closed":      {Look{Encoding: "gzip", Body: flushed, Pieces: pieces}, true},
		"left by ourselves": {Look{Encoding: "gzip", Body: flushed, Pieces: pieces, Ours: true}, false},
		"not compressed":    {Look{Body: []byte("data: a\n\n"), Pieces: []Piece{{Upto: 9}}}, false},
	} {
		tt.look.inflate()
		if got := tt.look.Cut != nil; got != tt.cut || !bytes.HasPrefix(tt.look.Body, []byte("data: a\n\n")) {
			t.Errorf("%s: cut %v, %q; want a cut: %t", name, tt.look.Cut, tt.look.Body, tt.cut)
		}
	}
}
