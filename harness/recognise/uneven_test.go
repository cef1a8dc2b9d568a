package recognise

import (
	"errors"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/play"
)

const (
	shortAnswer = "event: delta\ndata: {\"t\":1}\n\nevent: delta\ndata: {\"t\":2}\n\n"
	wholeAnswer = shortAnswer + "event: end\ndata: {}\n\n"
)

func looked(body string, cut error) play.Look {
	return play.Look{Status: 200, ContentType: "text/event-stream", Body: []byte(body), Cut: cut,
		Pieces: []play.Piece{{Upto: len(body)}}}
}

// Where one of the two first answers is cut, the one line says so: the app has the
// fault that the user looks for.
func TestAnswersThatEndDifferently(t *testing.T) {
	for _, tt := range []struct {
		name  string
		looks []play.Look
		want  []string
	}{
		{"the first is short", []play.Look{looked(shortAnswer, nil), looked(wholeAnswer, nil)},
			[]string{"one answer (sse-generic) ends with event == end, and another one of the same request does not",
				"add --terminal 'event == end' to see how many are cut"}},
		{"the second is short", []play.Look{looked(wholeAnswer, nil), looked(shortAnswer, nil)},
			[]string{"one answer (sse-generic) ends with event == end, and another one"}},
		{"broken off", []play.Look{looked(shortAnswer, errors.New("unexpected EOF"))},
			[]string{"broke off and shows no last event: unexpected EOF"}},
		{"broken off before anything", []play.Look{looked("", errors.New("ends inside the compressed data"))},
			[]string{"broke off before anything could be read: status 200, ends inside the compressed data"}},
		{"both are whole", []play.Look{looked(wholeAnswer, nil), looked(wholeAnswer, nil)}, nil},
		{"nobody knows", []play.Look{looked(shortAnswer, nil), looked(shortAnswer, nil)},
			[]string{"last of 2 events is"}},
	} {
		err := Read(tt.looks, "").Unusable(harness.Stream{})
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, want := range tt.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %s", tt.name, err, want)
			}
		}
	}
}
