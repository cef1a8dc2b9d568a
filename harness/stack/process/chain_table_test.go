package process

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stack/chain/chaintest"
)

func TestChain(t *testing.T) {
	needNginx(t)
	chaintest.Run(t, chaintest.Nginx(opener()))
}
