//go:build !(linux && (amd64 || arm64))

package tap

import (
	"fmt"

	"errors"
)

// newLoop says that this system has no event loop; streams then have a goroutine
// each.
func newLoop(*Tap) (carrier, error) {
	return nil, fmt.Errorf("event loops need 64-bit Linux: %w", errors.ErrUnsupported)
}
