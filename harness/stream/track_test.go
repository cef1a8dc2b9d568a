package stream

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const (
	ownID   = "0123456789abcdef0123456789abcdef"
	otherID = "ffffffffffffffffffffffffffffffff"
)

// answerIn writes events of a dialect that bear a number and an ID; "" leaves the
// ID out, -1 the number.
func answerIn(dialect string, events []numbered) string {
	var b strings.Builder
	for _, e := range events {
		var members []string
		if e.seq >= 0 {
			members = append(members, fmt.Sprintf(`"seq":%d`, e.seq))
		}
		if e.id != "" {
			members = append(members, fmt.Sprintf(`"meta":{"req":%q}`, e.id))
		}
		extra := ""
		if len(members) > 0 {
			extra = strings.Join(members, ",") + ","
		}
		switch dialect {
		case "openai-chat":
			fmt.Fprintf(&b, "data: {%s\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n", extra)
		case "sse-generic":
			fmt.Fprintf(&b, "id: %d\ndata: {%s\"text\":\"x\"}\n\n: ping\n\n", e.seq, extra)
		case "ollama":
			fmt.Fprintf(&b, "{%s\"response\":\"x\"}\n", extra)
		default:
			fmt.Fprintf(&b, "{%s\"text\":\"x\"}\n", extra)
		}
	}
	switch dialect {
	case "openai-chat":
		b.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	case "sse-generic":
		b.WriteString("data: [DONE]\n\n")
	default:
		b.WriteString("{\"done\":true}\n")
	}
	return b.String()
}

// numbered is one event.
type numbered struct {
	seq int64
	id  string
}

// row makes events of numbers, all with one ID.
func row(id string, seqs ...int64) []numbered {
	var all []numbered
	for _, n := range seqs {
		all = append(all, numbered{n, id})
	}
	return all
}

func readTracked(t *testing.T, dialect, body string, a Ask) Summary {
	t.Helper()
	d, ok := Lookup(dialect)
	if !ok {
		t.Fatal("no dialect " + dialect)
	}
	if d.NeedsTerminal {
		expr := "data == [DONE]"
		if d.Format.Name == NDJSON.Name {
			expr = "json .done == true"
		}
		m, err := ParseTerminal(expr)
		if err != nil {
			t.Fatal(err)
		}
		a.Terminal = m
	}
	r := d.Reader(a)
	dec := d.Format.New(Limits{})
	s := sinkFunc(func(f *Frame) { r.Read(f) })
	if err := dec.Push([]byte(body), s); err != nil {
		t.Fatal(err)
	}
	return r.Close(dec.Close(s))
}

func place(t testing.TB, expr string) *Place {
	t.Helper()
	if expr == "" {
		return nil
	}
	p, err := ParsePlace(expr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOrderAndOwner(t *testing.T) {
	for _, c := range []struct {
		name         string
		events       []numbered
		order, owner string
		want         State
		why          string
		other        string
	}{
		{"sound, from 1", row(ownID, 1, 2, 3, 4), ".seq", ".meta.req", Complete, "", ""},
		{"sound, from 0", row(ownID, 0, 1, 2, 3), ".seq", ".meta.req", Complete, "", ""},
		{"sound, from 1000", row(ownID, 1000, 1001, 1002), ".seq", "", Complete, "", ""},
		{"lost", row(ownID, 1, 2, 4, 5), ".seq", "", Gap, "event 3 missing after 2", ""},
		{"lost, from 0", row(ownID, 0, 1, 4), ".seq", "", Gap, "events 2 to 3 missing after 1", ""},
		{"twice", row(ownID, 1, 2, 2, 3), ".seq", "", Duplicate, "event 2 came twice", ""},
		{"0 twice", row(ownID, 0, 1, 0, 2), ".seq", "", Duplicate, "event 0 came twice", ""},
		{"begun anew", row(ownID, 1, 2, 3, 1, 2, 3), ".seq", "", Duplicate, "event 1 came twice", ""},
		{"reordered", row(ownID, 1, 2, 4, 3, 5), ".seq", "", Reordered, "event 3 came after 4", ""},
		{"reordered at the start", row(ownID, 2, 1, 3, 4), ".seq", "", Reordered, "event 1 came after 2", ""},
		{"reordered down to 0", row(ownID, 3, 4, 0, 1, 2), ".seq", "", Reordered, "event 0 came after 4", ""},
		{"some without a number", []numbered{{1, ""}, {-1, ""}, {2, ""}, {-1, ""}, {3, ""}}, ".seq", "", Complete, "", ""},
		{"no number at all", row(ownID, -1, -1, -1), ".seq", "", Complete, "", ""},
		{"an index that stays", row(ownID, 7, 7, 7), ".seq", "", Complete, "", ""},
		{"stamps that grow", row(ownID, 10, 20, 35), ".seq", "", Complete, "", ""},
		{"numbers, and nobody asked", row(ownID, 1, 9, 3), "", ".meta.req", Complete, "", ""},

		{"not echoed", row("", 1, 2, 3), ".seq", ".meta.req", Complete, "", ""},
		{"echoed once", []numbered{{1, ownID}, {2, ""}, {3, ""}}, ".seq", ".meta.req", Complete, "", ""},
		{"echoed as a UUID", row("01234567-89AB-CDEF-0123-456789ABCDEF", 1, 2), ".seq", ".meta.req", Complete, "", ""},
		{"echoed behind a prefix", row("req_"+ownID, 1, 2), ".seq", ".meta.req", Complete, "", ""},
		{"an ID of its own", row("chatcmpl-1", 1, 2, 3), ".seq", ".meta.req", Complete, "", "chatcmpl-1"},
		{"another's event in between", []numbered{{1, ownID}, {2, ownID}, {2, otherID}, {3, ownID}}, ".seq", ".meta.req", Foreign, otherID, otherID},
		{"another's event first", []numbered{{1, otherID}, {1, ownID}, {2, ownID}}, "", ".meta.req", Foreign, otherID, otherID},
		{"wholly another's", row(otherID, 1, 2, 3), ".seq", ".meta.req", Complete, "", otherID}, // who knows the other streams can tell
	} {
		for _, dialect := range []string{"openai-chat", "sse-generic", "ndjson-generic", "ollama"} {
			t.Run(c.name+"/"+dialect, func(t *testing.T) {
				s := readTracked(t, dialect, answerIn(dialect, c.events), Ask{Nonce: ownID, Order: place(t, c.order), Owner: place(t, c.owner)})
				if s.State != c.want || c.want != Complete && !strings.Contains(s.Why, c.why) || s.Other != c.other {
					t.Errorf("%s, %q, other %q; want %s, %q, other %q", s.State, s.Why, s.Other, c.want, c.why, c.other)
				}
			})
		}
	}
}

// TestOrderByID: the ID of SSE stays in force over events that bear none, which are
// no repetition.
func TestOrderByID(t *testing.T) {
	body := func(ids ...string) (b string) {
		for _, id := range ids {
			if id != "" {
				b += "id: " + id + "\n"
			}
			b += "data: x\n\n"
		}
		return b + "data: [DONE]\n\n"
	}
	for _, c := range []struct {
		ids  []string
		want State
	}{
		{[]string{"5", "6", "7"}, Complete},
		{[]string{"5", "", "6", "", "7"}, Complete},
		{[]string{"5", "5", "6"}, Duplicate},
		{[]string{"5", "6", "8"}, Gap},
		{[]string{"a", "b", "c"}, Complete},
	} {
		if s := readTracked(t, "sse-generic", body(c.ids...), Ask{Order: place(t, "id")}); s.State != c.want {
			t.Errorf("ids %q: %s, %s, want %s", c.ids, s.State, s.Why, c.want)
		}
	}
}

// TestNumbersThatCountNothing are told from numbers that do, and from none.
func TestNumbersThatCountNothing(t *testing.T) {
	for _, c := range []struct {
		seqs      []int64
		numbered  int
		uncounted bool
	}{{[]int64{7, 7, 7}, 3, true}, {[]int64{10, 20, 30}, 3, true}, {[]int64{1, 2, 9}, 3, false}, {[]int64{-1, -1}, 0, false}} {
		s := readTracked(t, "openai-chat", answerIn("openai-chat", row("", c.seqs...)), Ask{Order: place(t, ".seq")})
		if s.Numbered != c.numbered || s.Uncounted != c.uncounted {
			t.Errorf("%v: %d numbers, uncounted %v, want %d, %v", c.seqs, s.Numbered, s.Uncounted, c.numbered, c.uncounted)
		}
	}
}

// TestOwnEventsOnlyAreCounted: the number of another's event is no repetition.
func TestOwnEventsOnlyAreCounted(t *testing.T) {
	s := readTracked(t, "ndjson-generic", answerIn("ndjson-generic", []numbered{{1, ownID}, {2, ownID}, {2, otherID}, {3, ownID}}),
		Ask{Nonce: ownID, Order: place(t, ".seq"), Owner: place(t, ".meta.req")})
	if s.State != Foreign || s.Numbered != 3 || s.Echoed != 3 {
		t.Errorf("%s, %d numbers, %d echoes, want foreign, 3, 3", s.State, s.Numbered, s.Echoed)
	}
}

func TestParsePlace(t *testing.T) {
	for _, good := range []string{".seq", ".choices[0].index", `["any name"].x`, `["a"]`, "json .seq", "id", " .seq "} {
		if _, err := ParsePlace(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "seq", ".", ".a[", ".a == 1", ".a b", "data"} {
		if _, err := ParsePlace(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestTrackingDoesNotAllocate(t *testing.T) {
	d, _ := Lookup("openai-chat")
	r := d.Reader(Ask{Nonce: ownID, Order: place(t, ".seq"), Owner: place(t, ".meta.req")})
	n := int64(0)
	f := &Frame{}
	data := []byte(`{"seq":1000000,"meta":{"req":"` + ownID + `"},"choices":[{"index":0,"delta":{"content":"x"}}]}`)
	if allocs := testing.AllocsPerRun(1000, func() {
		n++
		strconv.AppendInt(data[:7], 1000000+n, 10)
		f.Data = data
		r.Read(f)
	}); allocs > 0 {
		t.Errorf("%v allocations per event", allocs)
	}
}
