package memory

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack/chain/chaintest"
)

func TestChain(t *testing.T) {
	app := func(int) http.Handler {
		s, err := origin.New(origin.Options{})
		if err != nil {
			panic(err) // the zero Options are good
		}
		return s
	}
	chaintest.Run(t, chaintest.Machine{Opener: &Opener{App: app, Twins: true}, Edge: balancerName, Asks: "HTTP/1.1",
		Mute: true, Bubble: synctest.Test})
}
