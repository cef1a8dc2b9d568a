package tap_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// crowdSize is the number of streams at once; the race detector makes each
// dearer.
func crowdSize() int {
	if raceEnabled {
		return 100
	}
	return 2000
}

// deed is what the crowd's server does to stream n: every third stream is honest.
func deed(n int) *endingCase {
	if n%3 == 0 {
		return nil
	}
	all := append(endings[:len(endings):len(endings)], resets(endings)...)
	return &all[n%len(all)]
}

// honest emits events at its own pace and ends well.
func honest(n int) script {
	s := script{say(chunkedHead)}
	for i := range 5 {
		s = append(s, wait(time.Duration(rand.IntN(20))*time.Millisecond), say(chunk(event(i))))
	}
	return append(s, say(chunk(done)+lastChunk), hold)
}

// TestCrowd mixes honest streams with every bad ending: each is told apart, and
// nobody is blamed for another.
func TestCrowd(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, func(r *http.Request) script {
			n, _ := strconv.Atoi(r.Header.Get("X-Number"))
			if d := deed(n); d != nil {
				return d.script
			}
			return honest(n)
		})
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		var wg sync.WaitGroup
		for n := range crowdSize() {
			job := tap.Job{Seq: uint64(n + 1), URL: "http://" + s.Addr, Dialect: d, Ask: ask,
				Header: http.Header{"X-Number": {fmt.Sprint(n)}}}
			if d := deed(n); d != nil {
				job.Limits = d.limits
			}
			// A full machine is slow, and an impatient limit would blame the honest.
			if job.Limits.Headers != 0 {
				job.Limits.Headers, job.Limits.First, job.Limits.Gap = 3*time.Second, 3*time.Second, 3*time.Second
			}
			wg.Go(func() { r.send(context.Background(), uint64(n), job) })
		}
		wg.Wait()
		if len(r.ended) != crowdSize() {
			t.Fatalf("%d streams recorded, want %d", len(r.ended), crowdSize())
		}
		for _, got := range r.ended {
			checkInCrowd(t, int(got.Seq)-1, got)
		}
	})
}

func checkInCrowd(t *testing.T, n int, got record.Stream) {
	if d := deed(n); d != nil {
		switch {
		case d.limit == record.TotalLimit, d.limit != "" && got.Limit != "":
			return // which limit strikes first depends on how busy the machine is
		case d.where == record.AfterEnd && got.Wire.Where == record.AtEnd:
			return // so does whether a late server is still looked at
		}
		t.Run(fmt.Sprintf("%d %s", n, d.name), func(t *testing.T) { d.compare(t, got) })
		return
	}
	if got.Content.State != stream.Complete || got.Contents != 5 || got.Wire.Where != record.AtEnd || got.Limit != "" ||
		got.Wire.Garbage != "" {
		t.Errorf("honest stream %d blamed: %q, %d events, %+v, limit %q", n, got.Content.State, got.Contents, got.Wire,
			got.Limit)
	}
}
