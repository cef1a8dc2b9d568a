package stream

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// resumed is the answer of our own server that begins behind event k, of n.
func resumed(k, n int, skip int) string {
	var b strings.Builder
	var sum uint32
	for seq := k + 1; seq <= n; seq++ {
		text := fmt.Sprintf("text %d", seq)
		sum = crc32.Update(sum, castagnoli, []byte(text))
		if seq != skip {
			fmt.Fprintf(&b, "id: %d\ndata: {\"seq\":%d,\"t\":1,\"nonce\":\"n\",\"pid\":1,\"text\":%q}\n\n", seq, seq, text)
		}
	}
	fmt.Fprintf(&b, "event: done\ndata: {\"t\":1,\"nonce\":\"n\",\"pid\":1,\"events\":%d,\"crc32c\":\"%08x\"}\n\n", n, sum)
	return b.String()
}

// TestResumedAnswerGoesOnBehindTheLastEvent: what a client had before is no gap,
// what it never got is one.
func TestResumedAnswerGoesOnBehindTheLastEvent(t *testing.T) {
	for _, tc := range []struct {
		name   string
		had    int64
		answer string
		want   State
	}{
		{"behind it", 4, resumed(4, 9, 0), Complete},
		{"from the start", 4, resumed(0, 9, 0), Complete},
		{"a hole between", 4, resumed(5, 9, 0), Gap},
		{"a hole later", 4, resumed(4, 9, 7), Gap},
		{"once more what it had", 4, resumed(3, 9, 0), Duplicate},
		{"nothing was left", 9, resumed(9, 9, 0), Complete},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(t, "origin", Ask{Nonce: "n", Resume: tc.had}, tc.answer)
			if got.State != tc.want {
				t.Errorf("got %s (%s), want %s", got.State, got.Why, tc.want)
			}
		})
	}
}

func TestRetryHoldsUntilTheNext(t *testing.T) {
	var got []int
	dec := SSE.New(Limits{})
	err := dec.Push([]byte("data: 1\n\nretry: 250\n\ndata: 2\n\nretry: soon\ndata: 3\n\n: still\n\nretry:40\ndata: 4\n\n"), sinkFunc(func(f *Frame) { got = append(got, f.Retry) }))
	if err != nil || fmt.Sprint(got) != "[0 250 250 250 40]" {
		t.Errorf("got %v, %v", got, err)
	}
}

type sinkFunc func(*Frame)

func (s sinkFunc) Frame(f *Frame) { s(f) }
