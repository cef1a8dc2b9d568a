package origin

import (
	"fmt"
	"net/http"
	"testing"
)

func TestLedgerKnowsNobody(t *testing.T) {
	_, addr := start(t, Options{})
	resp, err := http.Get("http://" + addr + "/ledger?nonce=nobody")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %s, want 404", resp.Status)
	}
}

func TestLedgerCountsStarts(t *testing.T) {
	_, addr := start(t, Options{})
	for range 3 {
		ask(t, addr, "again", "events=2&gap=0")
	}
	eventually(t, "third start", func() bool { e := ledger(t, addr, "again"); return e.Starts == 3 && e.Done })
}

// A full ledger forgets those that stopped first, never one that goes on.
func TestLedgerForgetsTheOldest(t *testing.T) {
	b := new(board)
	key := func(i int) uint64 { return uint64(1+i) * ledgerSlots } // all in one place
	going := b.account(key(0), 1)
	for i := 1; i < probes; i++ {
		b.account(key(i), 1).stopped.Store(int64(i))
	}
	b.account(key(probes), 1)
	if _, found := b.find(key(1)); found {
		t.Error("the stream that stopped first is still there")
	}
	for _, i := range []int{0, 2, probes - 1, probes} {
		if _, found := b.find(key(i)); !found {
			t.Errorf("stream %d is forgotten", i)
		}
	}
	if a, _ := b.find(key(0)); a != going {
		t.Error("the stream that goes on lost its account")
	}
}

func TestLedgerSurvivesCrowding(t *testing.T) {
	b := new(board)
	for i := range probes + 1 { // all alive, all in one place: one too many
		b.account(uint64(1+i)*ledgerSlots, 1).produced.Store(int64(i))
	}
	for i := range probes {
		if a, found := b.find(uint64(1+i) * ledgerSlots); !found || a.produced.Load() != int64(i) {
			t.Errorf("account %d: found %v", i, found)
		}
	}
}

func TestBury(t *testing.T) {
	b := new(board)
	for i := range 20 {
		b.account(keyOf(fmt.Sprint("n", i)), i%2)
	}
	b.bury(1)
	for i := range 20 {
		a, _ := b.find(keyOf(fmt.Sprint("n", i)))
		if stopped := a.stopped.Load() != 0; stopped != (i%2 == 1) {
			t.Errorf("account of pid %d: stopped %v", i%2, stopped)
		}
	}
}
