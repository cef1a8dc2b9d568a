package tap

import (
	"encoding/json"
	"testing"
)

func TestValuesFillTheirPlaces(t *testing.T) {
	v := Values{Nonce: "ab12", Seq: 7, Prompt: "say \"hi\",\nthen stop & go"}
	const want = "http://x/a/ab12?n=7&q=say+%22hi%22%2C%0Athen+stop+%26+go"
	if got := v.URL("http://x/a/{nonce}?n={seq}&q={prompt}"); got != want {
		t.Errorf("URL: %s, want %s", got, want)
	}
	if got := v.URL("http://x/%7Bnonce%7D"); got != "http://x/ab12" {
		t.Errorf("an escaped place: %s", got)
	}
	if got, want := v.Field("{seq} {prompt}"), `7 say "hi", then stop & go`; got != want {
		t.Errorf("field: %s, want %s", got, want)
	}
	var body struct {
		N int
		Q string
	}
	if err := json.Unmarshal(v.Body([]byte(`{"n": {seq}, "q": "{prompt}"}`), true), &body); err != nil || body.N != 7 ||
		body.Q != v.Prompt {
		t.Errorf("JSON: %+v, %v", body, err)
	}
	if got := string(v.Body([]byte("q={prompt}"), false)); got != "q="+v.Prompt {
		t.Errorf("text: %s", got)
	}
	for _, plain := range []string{"", "no place", "{other}", "{"} {
		if got := string(v.Body([]byte(plain), true)); got != plain || v.Field(plain) != plain || v.URL(plain) != plain {
			t.Errorf("%q was changed", plain)
		}
	}
}

// TestValuesOfATurn: answers are escaped, and what they say is not taken for a place.
func TestValuesOfATurn(t *testing.T) {
	v := Values{Seq: 3, Turn: Turn{N: 3, Of: 4, Answers: []string{"one", "two \"{seq}\"\n{answer.1}"}}}
	const body = `{"t": {turn}, "last": "{answer}", "first": "{answer.1}", "second": "{answer.2}", "none": "{answer.3}", "n": {seq}}`
	var got struct {
		T, N                      int
		Last, First, Second, None string
	}
	err := json.Unmarshal(v.Body([]byte(body), true), &got)
	if two := v.Turn.Answers[1]; err != nil || got.T != 3 || got.N != 3 || got.Last != two || got.First != "one" ||
		got.Second != two || got.None != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got := string(v.Body([]byte("{turn} {answer}"), false)); got != "3 two \"{seq}\"\n{answer.1}" {
		t.Errorf("text: %s", got)
	}
	if got := string((Values{Turn: Turn{N: 1, Of: 2}}).Body([]byte("{turn}[{answer}][{answer.1}]"), true)); got != "1[][]" {
		t.Errorf("turn 1: %s", got)
	}
	if got := string((Values{Nonce: "x"}).Body([]byte("{turn}{answer}{nonce}"), true)); got != "{turn}{answer}x" {
		t.Errorf("no session: %s", got)
	}
}

func TestIsJSON(t *testing.T) {
	for media, want := range map[string]bool{"application/json": true, "Application/JSON; charset=utf-8": true,
		"application/problem+json": true, "text/plain": false, "": false} {
		if IsJSON(media) != want {
			t.Errorf("%q: %v", media, !want)
		}
	}
}
