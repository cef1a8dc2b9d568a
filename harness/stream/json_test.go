package stream

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

var jsonSeeds = []string{
	`{"seq":1,"t":-2,"nonce":"n","text":"a\u00e9\n\ud83d\ude42\ud800 \\\"/\b\f\r\t","x":[1,2.5e-3,true,false,null,{}]}`,
	`{}`, `[]`, `""`, `0`, `-0`, `01`, `1.`, `.5`, `1e`, `1E+2`, `-`, `tru`, `nullx`, `"a`, `"\x"`, `"\u12"`, "\"\x01\"",
	`{"a":1,}`, `{"a"}`, `{a:1}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `{"a":{"a":[[]]}}`, ` {"a" : [ 1 , 2 ] } `, `{} {}`, "{}\x00", "",
	`{"a":1,"a":2}`, `{"\u0061":3}`, "{\"\xff\":1}",
}

func TestJSONAgreesWithStandardLibrary(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	seeds := append(jsonSeeds, deep(maxDepth-1), deep(maxDepth+1), deep(500), deep(500)[1:], `{"a":`+deep(200)+`,"b":1}`)
	for _, s := range seeds {
		checkJSON(t, []byte(s))
	}
}

// checkJSON compares what we read with what encoding/json reads.
func checkJSON(t *testing.T, b []byte) {
	t.Helper()
	if got, want := validJSON(b), json.Valid(b); got != want {
		t.Errorf("validJSON(%q) = %t, want %t", b, got, want)
	}
	checkMembers(t, b)
	var s string
	if json.Unmarshal(b, &s) == nil && strings.HasPrefix(string(b), `"`) && utf8.Valid(b) {
		c := cursor{b: b}
		if got := c.text().String(); got != s {
			t.Errorf("string %q = %q, want %q", b, got, s)
		}
	}
	var n int64
	if json.Unmarshal(b, &n) == nil && string(b) != "null" {
		c := cursor{b: b}
		if got, ok := c.int(); ok && got != n {
			t.Errorf("int %q = %d, want %d", b, got, n)
		}
	}
}

func checkMembers(t *testing.T, b []byte) {
	t.Helper()
	var m map[string]json.RawMessage
	if json.Unmarshal(b, &m) != nil || m == nil || !utf8.Valid(b) {
		if raw := member(b, "a"); raw != nil && utf8.Valid(b) {
			t.Errorf("member of %q = %q, which is no object", b, raw)
		}
		return
	}
	for name, want := range m {
		if got := member(b, name); string(got) != string(want) {
			t.Errorf("member %q of %q = %q, want %q", name, b, got, want)
		}
		if got := find(b, []step{{name, -1}}); string(got) != string(want) {
			t.Errorf("find %q in %q = %q, want %q", name, b, got, want)
		}
	}
}

func TestParseInt(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "-7": -7, "9223372036854775807": 1<<63 - 1} {
		if got, ok := parseInt([]byte(s)); !ok || got != want {
			t.Errorf("parseInt(%s) = %d, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "-", "1.0", "1e3", "9223372036854775808", "99999999999999999999", "null"} {
		if got, ok := parseInt([]byte(s)); ok {
			t.Errorf("parseInt(%s) = %d, want none", s, got)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	for _, s := range []string{"null,", "10]", "-1}", "012,", "1.5]", "nul}", "7e2}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checkJSON(t, b)
		// The shorter way through a value ends where the careful one does.
		quick, careful := cursor{b: b}, cursor{b: b}
		short, long := quick.pass(), careful.skip()
		if string(short) != string(long) || quick.bad != careful.bad || !quick.bad && quick.i != careful.i {
			t.Errorf("%q: pass takes %q up to %d, skip %q up to %d", b, short, quick.i, long, careful.i)
		}
	})
}

// The fast reading of an origin event agrees with a struct of encoding/json.
func FuzzOriginEvent(f *testing.F) {
	f.Add([]byte(originObject(nonce, 1)))
	f.Add([]byte(originDone(2, 1, 2)))
	f.Add([]byte(`{"text":"\ud83d\ude42","nonce":"\u006e","seq":12}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e originEvent
		ok := e.parse(b)
		var m map[string]json.RawMessage
		if want := json.Unmarshal(b, &m) == nil && m != nil; ok != want {
			t.Fatalf("parse(%q) = %t, want %t", b, ok, want)
		}
		if !ok || !utf8.Valid(b) {
			return
		}
		for name, got := range map[string]text{"text": e.text, "nonce": e.nonce, "crc32c": e.crc, "error": e.err} {
			var want *string
			if json.Unmarshal(m[name], &want) != nil || want == nil {
				if got.ok {
					t.Errorf("%s of %q = %q, want no string", name, b, got)
				}
			} else if got.String() != *want {
				t.Errorf("%s of %q = %q, want %q", name, b, got, *want)
			}
		}
		var seq int64
		if json.Unmarshal(m["seq"], &seq) == nil && e.seq != seq {
			t.Errorf("seq of %q = %d, want %d", b, e.seq, seq)
		}
	})
}
