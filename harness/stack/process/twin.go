package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

var _ stack.Twinner = (*Stack)(nil)

// twinFolder is where a twin keeps its files while it runs.
const twinFolder = ".twin"

// Twin implements [stack.Twinner]: the same program on the same form of
// configuration, without the limits of one scenario, and with no link before the
// upstream.
func (c *Stack) Twin(ctx context.Context) (stack.Twin, error) {
	if c.edge == nil {
		return stack.Twin{}, &stack.Unable{What: "start a second edge", Why: "this stack has none"}
	}
	o, err := origin.ListenProbe("127.0.0.1:0")
	if err != nil {
		return stack.Twin{}, err
	}
	twin, err := c.twin(ctx, o.Addr())
	if err != nil {
		return twin, errors.Join(err, o.Close())
	}
	end := twin.Close
	twin.Close = func(ctx context.Context) error { return errors.Join(end(ctx), o.Close()) }
	return twin, nil
}

// twin starts a second edge before an upstream.
func (c *Stack) twin(ctx context.Context, upstream string) (stack.Twin, error) {
	t := &Stack{opt: c.opt, spec: c.spec, nginx: c.nginx, remote: c.remote}
	t.spec.Edge = stack.Edge{Form: c.spec.Edge.Form}
	t.spec.LogDir = filepath.Join(c.spec.LogDir, twinFolder)
	t.spec.Notify = func(stack.Event) {}
	if err := os.MkdirAll(t.spec.LogDir, 0o700); err != nil {
		return stack.Twin{}, fmt.Errorf("make folder of the second edge: %w", err)
	}
	ups := []nginxconf.Upstream{{Main: upstream, Control: upstream}}
	err := t.openEdge(ctx, ups)
	if err != nil {
		return stack.Twin{}, errors.Join(fmt.Errorf("start a second edge: %w", err), os.RemoveAll(t.spec.LogDir))
	}
	return stack.Twin{URL: "http://" + t.edge.addr(), What: t.edge.What(), Close: func(ctx context.Context) error {
		return errors.Join(t.edge.close(ctx), os.RemoveAll(t.spec.LogDir))
	}}, nil
}
