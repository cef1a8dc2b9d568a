package container

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

var _ stack.Squeezer = (*Stack)(nil)

// Squeeze implements [stack.Squeezer] by docker update, swap included. Below what
// is in use cgroup v1 refuses, and leaves the container unharmed, where the kernel
// of v2 kills at once.
func (s *Stack) Squeeze(ctx context.Context, name string, bytes int64) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	if bytes == 0 {
		bytes = r.box.memory
	}
	if bytes == 0 {
		return &stack.Unable{What: "give " + name + " its memory back", Why: "it had no limit: set the app's memory"}
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	limits := container.Resources{Memory: bytes, MemorySwap: bytes}
	if _, err := r.box.d.ContainerUpdate(ctx, r.box.id, client.ContainerUpdateOptions{Resources: &limits}); err != nil {
		return fmt.Errorf("limit memory of %s to %s: %w", name, bytesText(bytes), err)
	}
	s.tell(stack.Event{At: s.spec.Now(), Source: record.DockerSource, Kind: record.KindLimit, Subject: name,
		Value: bytes, Text: "memory limited to " + bytesText(bytes)})
	return nil
}
