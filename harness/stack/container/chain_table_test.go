package container

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stack/chain/chaintest"
)

func TestChain(t *testing.T) {
	t.Parallel()
	requireDocker(t)
	chaintest.Run(t, chaintest.Nginx(New(Options{})))
}
