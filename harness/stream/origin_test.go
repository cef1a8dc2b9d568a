package stream

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// The server side of the origin dialect, for tests.

const nonce = "n-1"

func originText(seq int) string { return fmt.Sprintf("wörd %d ", seq) }

func originObject(nonce string, seq int) string {
	return fmt.Sprintf(`{"seq":%d,"t":%d,"nonce":%q,"pid":42,"text":%q}`, seq, 1000+seq, nonce, originText(seq))
}

func originDone(n int, texts ...int) string {
	sum := crc32.New(castagnoli)
	for _, seq := range texts {
		sum.Write([]byte(originText(seq)))
	}
	return fmt.Sprintf(`{"t":2000,"nonce":%q,"pid":42,"events":%d,"crc32c":"%08x"}`, nonce, n, sum.Sum32())
}

func sseEvent(seq int) string {
	return fmt.Sprintf("id: %d\ndata: %s\n\n", seq, originObject(nonce, seq))
}

func sseEvents(seqs ...int) (body string) {
	for _, seq := range seqs {
		body += sseEvent(seq)
	}
	return body
}

func sseDone(n int, texts ...int) string {
	return "event: done\ndata: " + originDone(n, texts...) + "\n\n"
}

const (
	ssePing  = ": ping 1764057600000000000\n\n"
	sseError = "event: error\ndata: {\"t\":3,\"nonce\":\"n-1\",\"pid\":42,\"error\":\"model \\\"lost\\\"\"}\n\n"
	// gunicorn26 is what its sync worker writes into an open body.
	gunicorn26 = "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 141\r\n\r\n<html>\n</html>\n"
)

func TestOrigin(t *testing.T) {
	whole := sseEvents(1, 2, 3)
	done := sseDone(3, 1, 2, 3)
	foreign := "data: " + originObject("n-2", 3) + "\n\n"
	for _, tt := range []dialectTest{
		{"whole", sseEvent(1) + ssePing + sseEvents(2, 3) + done, "chccT", Complete, ""},
		{"no events, and said so", sseDone(0), "T", Complete, ""},
		{"no terminal", whole, "ccc", Prefix, "no terminal after 3 content events"},
		{"cut inside a frame", whole + "id: 4\ndata: {\"se", "ccc", CutFrame, "ends 16 bytes into a frame"},
		{"cut inside the terminal", whole + done[:30], "ccc", CutFrame, ""},
		{"empty", "", "", Empty, ""},
		{"heartbeats only", ssePing + ssePing, "hh", Empty, ""},
		{"in-band error", sseEvents(1, 2) + sseError, "ccE", Prefix, `model "lost"`},
		{"error then terminal", sseEvents(1, 2) + sseError + sseDone(2, 1, 2), "ccET", Prefix, "in-band error"},
		{"lost event", sseEvents(1, 3) + done, "ccT", Gap, "event 2 missing after 1"},
		{"lost events", sseEvents(1, 4, 5) + sseDone(5, 1, 4, 5), "cccT", Gap, "events 2 to 3 missing after 1"},
		{"first event lost", sseEvents(2, 3) + done, "ccT", Gap, "event 1 missing"},
		{"last event lost", sseEvents(1, 2) + sseDone(3, 1, 2), "ccT", Gap, "event 3 missing after 2, the terminal declares 3"},
		{"lost, then cut", sseEvents(1, 3) + "id: 4", "cc", Gap, "event 2"},
		{"duplicate", sseEvents(1, 2, 2, 3) + done, "ccccT", Duplicate, "event 2 came twice"},
		{"reordered", sseEvents(1, 3, 2) + done, "cccT", Reordered, "event 2 came after 3"},
		{"late, then twice", sseEvents(1, 3, 2, 2) + done, "ccccT", Duplicate, "event 2"},
		{"replayed from the start", sseEvents(1, 2, 1, 2, 3) + done, "cccccT", Duplicate, "event 1"},
		{"middle of a hole comes late", sseEvents(1, 5, 3), "ccc", Gap, "event 2 missing"},
		{"foreign", sseEvents(1, 2) + foreign + sseEvent(3) + done, "ccccT", Foreign, `nonce "n-2"`},
		{"foreign terminal", whole + strings.Replace(done, nonce, "n-9", 1), "cccT", Foreign, ""},
		{"checksum", whole + sseDone(3, 1, 2, 2), "cccT", Corrupt, "crc32c"},
		{"more events than declared", whole + sseDone(2, 1, 2, 3), "cccT", Corrupt, "3 events, the terminal declares 2"},
		{"terminal twice", whole + done + done, "cccTT", Complete, ""},
		{"event after terminal", sseEvents(1, 2) + sseDone(2, 1, 2) + sseEvent(3), "ccTc", Corrupt, "after the terminal"},
		{"heartbeat after terminal", whole + done + ssePing, "cccTh", Complete, ""},
		{"half a heartbeat after terminal", whole + done + ": pi", "cccT", Complete, "4 bytes of an unfinished frame"},
		{"garbage", sseEvent(1) + "data: {\"seq\":2,\"t\"1}\n\n", "cm", Corrupt, "not JSON"},
		{"no object", "data: 12\n\n", "m", Corrupt, "not the JSON"},
		{"no text", "data: {\"seq\":1,\"nonce\":\"n-1\"}\n\n", "m", Corrupt, "without seq or text"},
		{"terminal without checksum", whole + "event: done\ndata: {\"nonce\":\"n-1\",\"events\":3}\n\n", "cccm", Corrupt, "without events or crc32c"},
		{"not UTF-8", "data: {\"seq\":1,\"nonce\":\"n-1\",\"text\":\"\xff\"}\n\n", "m", Corrupt, "not UTF-8: byte 0xff"},
		{"second response", sseEvents(1, 2) + gunicorn26, "cch", Corrupt, "HTTP/1.1 500 Internal Server Error"},
		{"second response inside an event", sseEvents(1, 2) + sseEvent(3)[:20] + gunicorn26, "ccm", Corrupt, "a second HTTP response"},
		{"another event type", "event: info\ndata: {\"nonce\":\"n-1\"}\n\n" + whole + done, "mcccT", Complete, ""},
	} {
		tt.run(t, "origin", Ask{Nonce: nonce})
	}
}

func TestOriginReadsStamps(t *testing.T) {
	got := read(t, "origin", Ask{Nonce: nonce}, sseEvent(1)+ssePing+sseDone(1, 1))
	want := []Event{{Kind: Content, Seq: 1, Emit: 1001}, {Kind: Heartbeat, Seq: -1}, {Kind: Terminal, Seq: -1, Emit: 2000}}
	if fmt.Sprint(got.events) != fmt.Sprint(want) {
		t.Errorf("events = %v, want %v", got.events, want)
	}
	if got.Worker != "42" {
		t.Errorf("worker = %q, want 42", got.Worker)
	}
}

// Without a nonce told the first event sets it.
func TestOriginLearnsNonce(t *testing.T) {
	body := sseEvent(1) + "data: " + originObject("n-2", 2) + "\n\n"
	if got := read(t, "origin", Ask{}, body); got.State != Foreign {
		t.Errorf("state = %q, want foreign", got.State)
	}
}

// Escapes and another order of keys change nothing.
func TestOriginIsJSON(t *testing.T) {
	text := "w\\u00f6rd\\u0020" + "1 "
	body := `data: { "text" : "` + text + `", "pid":42, "nonc\u0065":"n-1", "x":{"y":[1,{}]}, "seq" : 1 }` + "\n\n"
	if got := read(t, "origin", Ask{Nonce: nonce}, body+sseDone(1, 1)); got.State != Complete {
		t.Errorf("state = %q because %q", got.State, got.Why)
	}
}

func TestOriginLines(t *testing.T) {
	line := func(kind, object string) string { return `{"type":"` + kind + `",` + object[1:] + "\n" }
	one, two := line("event", originObject(nonce, 1)), line("event", originObject(nonce, 2))
	ping := `{"type":"ping","t":5,"nonce":"n-1","pid":42}` + "\n"
	done := line("done", originDone(2, 1, 2))
	for _, tt := range []dialectTest{
		{"whole", one + ping + two + done, "chcT", Complete, ""},
		{"no terminal", one + two, "cc", Prefix, "no terminal"},
		{"no LF at the end", one + two + strings.TrimSpace(done), "ccT", Complete, ""},
		{"cut", one + two[:9], "c", CutFrame, ""},
		{"gap", one + line("event", originObject(nonce, 3)), "cc", Gap, "event 2"},
		{"error", one + `{"type":"error","t":5,"nonce":"n-1","pid":42,"error":"lost"}` + "\n", "cE", Prefix, "lost"},
		{"second response", one + gunicorn26, "cmmmmhmm", Corrupt, "HTTP/1.1 500"},
	} {
		tt.run(t, "origin-ndjson", Ask{Nonce: nonce})
	}
}
