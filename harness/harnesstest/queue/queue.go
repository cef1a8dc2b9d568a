// Package queue is an app whose limit theory knows: c workers serve streams in the order
// in which they came, and each takes a time of its own, exponentially distributed. Under
// Poisson arrivals that is the queue M/M/c.
//
//  1. An [App] answers over HTTP; one seed gives the same service times.
//  2. [App.Admit] is the queue alone, for tests without sockets and without waiting.
//  3. [System.Knee] is the rate up to which an objective on its response times holds.
package queue

import (
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// A System is the queue M/M/c.
type System struct {
	Workers int
	Service time.Duration // in the mean
}

// Waits is the chance that a stream has to wait, at a rate of streams per second below
// what the workers can do: Erlang's C formula (Erlang 1917; Kleinrock, Queueing Systems I,
// 1975, section 3.5), from his B formula by its recursion.
func (s System) Waits(rate float64) float64 {
	load := rate * s.Service.Seconds()
	b := 1.0
	for k := 1; k <= s.Workers; k++ {
		b = load * b / (float64(k) + load*b)
	}
	busy := load / float64(s.Workers)
	return b / (1 - busy*(1-b))
}

// Beyond is the share of streams whose response, the wait and the service, takes longer
// than t. The wait is 0 but for [System.Waits], and exponential with rate cμ−λ there; the
// service is exponential with rate μ and independent of it (Gross, Shortle, Thompson and
// Harris, Fundamentals of Queueing Theory, 2008, section 2.3):
//
//	P(T>t) = (1−C)·e^(−μt) + C·(θ·e^(−μt) − μ·e^(−θt))/(θ−μ),  θ = cμ−λ
func (s System) Beyond(rate float64, t time.Duration) float64 {
	mu, at := 1/s.Service.Seconds(), t.Seconds()
	theta := float64(s.Workers)*mu - rate
	if theta <= 0 {
		return 1 // the queue grows for ever
	}
	c := s.Waits(rate)
	both := (1 + mu*at) * math.Exp(-mu*at) // the limit where the two rates are one
	if math.Abs(theta-mu) > 1e-6*mu {
		both = (theta*math.Exp(-mu*at) - mu*math.Exp(-theta*at)) / (theta - mu)
	}
	return (1-c)*math.Exp(-mu*at) + c*both
}

// Knee is the largest rate, in streams per second, at which the q-quantile of response
// times is at most t; 0 where not even an idle app is so fast.
func (s System) Knee(q float64, t time.Duration) float64 {
	lo, hi := 0.0, float64(s.Workers)/s.Service.Seconds()
	for range 60 {
		if mid := (lo + hi) / 2; s.Beyond(mid, t) <= 1-q {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// An App is a System with a seed, over HTTP: a stream of two events once it was served.
// Its zero value cannot be used.
type App struct {
	System
	Seed uint64

	mu   sync.Mutex
	r    *rand.Rand
	free []time.Time // when each worker is
}

// Admit takes a stream that comes at a time, no earlier than the one before it, and says
// when it has been served.
func (a *App) Admit(now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.r == nil {
		a.r, a.free = rand.New(rand.NewPCG(a.Seed, 0)), make([]time.Time, a.Workers)
	}
	first := 0
	for i, t := range a.free {
		if t.Before(a.free[first]) {
			first = i
		}
	}
	begin := now
	if a.free[first].After(now) {
		begin = a.free[first]
	}
	a.free[first] = begin.Add(time.Duration(a.r.ExpFloat64() * float64(a.Service)))
	return a.free[first]
}

// ServeHTTP answers in the form of OpenAI's chat completions. When a stream is due is
// worked out when it comes, so that timers that fire late delay that stream and no other.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(time.Until(a.Admit(time.Now()))):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	const answer = `data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"served"},` +
		`"finish_reason":null}]}` + "\n\n" + `data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,` +
		`"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	_, _ = w.Write([]byte(answer)) // a client that has left misses it
}
