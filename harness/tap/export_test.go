package tap

import (
	"context"
	"net"
)

// SetDial replaces how t's goroutine carriers connect.
func SetDial(t *Tap, dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	t.dial = dial
}
