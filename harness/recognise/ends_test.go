package recognise

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/play"
)

// lines is a body of NDJSON.
func lines(events ...string) string { return strings.Join(events, "\n") + "\n" }

// What the last event has and no other tells the end, where content, which is new every
// time, and failures do not.
func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"a word of an end", lines(`{"hit":1}`, `{"hit":2}`, `{"status":"finished","total":2}`), []string{"json .status == finished", "json .total exists"}},
		{"a state that turns", lines(`{"state":"busy","t":"a"}`, `{"state":"busy","t":"b"}`, `{"state":"busy","t":"c"}`, `{"state":"idle","t":""}`), []string{"json .state == idle"}},
		{"inside of another", lines(`{"data":{"t":"a"}}`, `{"data":{"t":"b"}}`, `{"data":{"over":true}}`), []string{"json .data.over == true"}},
		{"only there", lines(`{"t":"a"}`, `{"t":"b"}`, `{"summary":{"tokens":2}}`), []string{"json .summary.tokens exists"}},
		{"content alone", lines(`{"t":"a"}`, `{"t":"b"}`, `{"t":"c"}`), nil},
		{"a failure", lines(`{"t":"a"}`, `{"t":"b"}`, `{"status":"failed","total":2}`), nil},
		{"an error", lines(`{"t":"a"}`, `{"t":"b"}`, `{"error":"none left"}`), nil},
		{"null says nothing", lines(`{"t":"a"}`, `{"t":"b"}`, `{"t":"c","note":null}`), nil},
		{"two events", lines(`{"t":"a"}`, `{"status":"finished"}`), nil},
		{"no objects", lines(`1`, `2`, `"finished"`), nil},
		{"cut inside the last", `{"t":"a"}` + "\n" + `{"t":"b"}` + "\n" + `{"t":"c"}` + "\n" + `{"status":"fin`, nil},
	} {
		if got := marks(Dialect("ndjson-generic"), []byte(tt.body)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// One answer proposes, and two that agree decide.
func TestMarksNeedTwoAnswers(t *testing.T) {
	look := func(events ...string) play.Look {
		body := lines(events...)
		return play.Look{Status: 200, ContentType: "application/x-ndjson", Body: []byte(body), Pieces: []play.Piece{{Upto: len(body)}}}
	}
	first := look(`{"hit":1}`, `{"hit":2}`, `{"status":"finished"}`)
	for _, tt := range []struct {
		name  string
		looks []play.Look
		want  string
	}{
		{"one", []play.Look{first}, ""},
		{"two that agree", []play.Look{first, look(`{"hit":7}`, `{"hit":8}`, `{"hit":9}`, `{"status":"finished"}`)}, "json .status == finished"},
		{"two that do not", []play.Look{first, look(`{"hit":7}`, `{"hit":8}`, `{"also":9}`)}, ""},
	} {
		if got := Read(tt.looks, "").Terminal; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if err := Read([]play.Look{first}, "").openEnd(&first); !strings.Contains(err.Error(), "--terminal 'json .status == finished'") {
		t.Errorf("%v does not propose what the one answer suggests", err)
	}
}

// An end that no word names is proposed, however many answers agree: they may all lack
// their real one.
func TestOnlyWordsOfAnEndAreTaken(t *testing.T) {
	for expression, want := range map[string]bool{
		"event == walk_done": true, "event == bye": true, "data == [DONE]": true, "json .status == finished": true,
		"json .isLast == true": true, "json .finish_reason exists": true, "event == messageStop": true,
		"event == usage": false, "json .summary.tokens exists": false, "json .state == idle": false,
		"event == token": false, "event == append": false, "json .total exists": false,
	} {
		if got := saysEnd(expression); got != want {
			t.Errorf("saysEnd(%q) = %t", expression, got)
		}
	}
	usage := play.Look{Status: 200, ContentType: "application/x-ndjson",
		Body: []byte(lines(`{"t":"a"}`, `{"t":"b"}`, `{"usage":{"tokens":2}}`))}
	usage.Pieces = []play.Piece{{Upto: len(usage.Body)}}
	f := Read([]play.Look{usage, usage}, "")
	if f.Terminal != "" {
		t.Errorf("%q is taken for the end", f.Terminal)
	}
	if err := f.openEnd(&usage); !strings.Contains(err.Error(), "--terminal 'json .usage exists'") {
		t.Errorf("%v does not propose what the answers suggest", err)
	}
}
