package process

import (
	"context"

	"github.com/streamproof/streamproof/harness/stack/chain"
)

// An edge is the reverse proxy of the chain: nginx, or Go's own.
type edge interface {
	chain.Edge
	addr() string
	close(ctx context.Context) error
}
