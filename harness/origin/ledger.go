package origin

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// Sizes of the board. A ledger of this length remembers some minutes of 15,000
// concurrent streams.
const (
	maxWorkers  = 64
	ledgerSlots = 1 << 16
	probes      = 64 // slots that a key may be found in
)

// A board is what the processes of one origin know together. It has a fixed
// size and holds no pointers, so that it can be mapped into all of them; a
// worker that is killed leaves its accounts standing.
type board struct {
	load   [maxWorkers]atomic.Int64 // open connections per worker, -1 for no worker
	ledger [ledgerSlots]account
}

// An account is the server's own word on one stream.
type account struct {
	key      atomic.Uint64 // of the nonce, 0 if the slot is free
	pid      atomic.Int64
	starts   atomic.Int64 // requests with this nonce
	produced atomic.Int64 // events
	done     atomic.Int64 // 1 when the complete response was written
	stopped  atomic.Int64 // when production stopped, unix ns; 0 while it goes on
}

// account opens the account of key, in the slot that it had before or else in a
// free one or that of the stream which stopped the longest ago.
func (b *board) account(key uint64, pid int) *account {
	a := b.claim(key)
	a.pid.Store(int64(pid))
	a.starts.Add(1)
	a.produced.Store(0)
	a.done.Store(0)
	a.stopped.Store(0)
	return a
}

func (b *board) claim(key uint64) *account {
	for {
		a, found := b.find(key)
		if found {
			return a
		}
		if a == nil {
			return new(account) // more live streams than slots: nobody will find this one
		}
		if old := a.key.Load(); (old == 0 || a.stopped.Load() != 0) && a.key.CompareAndSwap(old, key) {
			a.starts.Store(0)
			return a
		}
	}
}

// find returns the account of key, or else the slot that it may take, nil if
// there is none.
func (b *board) find(key uint64) (best *account, found bool) {
	var oldest int64
	for i := range uint64(probes) {
		a := &b.ledger[(key+i)%ledgerSlots]
		switch stopped := a.stopped.Load(); a.key.Load() {
		case key:
			return a, true
		case 0: // slots are never freed, so the key is in none behind this one
			return a, false
		default:
			if stopped != 0 && (best == nil || stopped < oldest) {
				best, oldest = a, stopped
			}
		}
	}
	return best, false
}

func (a *account) stop() { a.stopped.CompareAndSwap(0, time.Now().UnixNano()) }

// bury closes the accounts of a process that is dead.
func (b *board) bury(pid int) {
	for i := range b.ledger {
		if a := &b.ledger[i]; a.key.Load() != 0 && a.pid.Load() == int64(pid) {
			a.stop()
		}
	}
}

// An entry is an account as /ledger gives it.
type entry struct {
	Nonce    string `json:"nonce"`
	Pid      int64  `json:"pid"`
	Starts   int64  `json:"starts"`
	Produced int64  `json:"produced"`
	Done     bool   `json:"done"`
	Stopped  bool   `json:"stopped"`
	StopUnix int64  `json:"stop_unix_ns"`
}

// serveLedger answers GET /ledger?nonce=N, 404 where the stream is not known.
func (s *Server) serveLedger(w http.ResponseWriter, r *http.Request) {
	nonce := r.URL.Query().Get("nonce")
	a, found := s.board.find(keyOf(nonce))
	if !found {
		http.Error(w, "find account: no stream had this nonce", http.StatusNotFound)
		return
	}
	stop := a.stopped.Load()
	w.Header().Set("Content-Type", "application/json")
	// An error here is the client's, who has left.
	_ = json.NewEncoder(w).Encode(entry{Nonce: nonce, Pid: a.pid.Load(), Starts: a.starts.Load(),
		Produced: a.produced.Load(), Done: a.done.Load() == 1, Stopped: stop != 0, StopUnix: stop})
}
