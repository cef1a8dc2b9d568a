package local

import (
	"context"

	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// An edge is the reverse proxy of the chain.
type edge interface {
	addr() string
	what() string // "nginx 1.22.1, form streaming"
	// route puts the upstreams in place, also while streams are in flight, and
	// returns when new connections see them.
	route(ctx context.Context, upstreams []nginxconf.Upstream) error
	settings() map[string]string
	close(ctx context.Context) error
}
