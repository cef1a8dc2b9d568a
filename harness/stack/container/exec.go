package container

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// exec runs a command in the box and returns what it wrote.
func (b *box) exec(ctx context.Context, cmd ...string) (string, error) {
	e, err := b.d.ExecCreate(ctx, b.id, client.ExecCreateOptions{Cmd: cmd, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", fmt.Errorf("run in %s: %w", b.part, err)
	}
	a, err := b.d.ExecAttach(ctx, e.ID, client.ExecAttachOptions{})
	if err != nil {
		return "", fmt.Errorf("run in %s: %w", b.part, err)
	}
	defer a.Close()
	stop := context.AfterFunc(ctx, func() { a.Close() })
	defer stop()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, a.Reader); err != nil {
		// What broke off since the time ran out says nothing.
		return out.String(), fmt.Errorf("run in %s: %w", b.part, cmp.Or(ctx.Err(), err))
	}
	res, err := b.d.ExecInspect(ctx, e.ID, client.ExecInspectOptions{})
	if err != nil {
		return out.String(), fmt.Errorf("run in %s: %w", b.part, err)
	}
	if res.ExitCode != 0 {
		return out.String(), fmt.Errorf("run %s in %s: exit code %d: %s", cmd[0], b.part, res.ExitCode, oneLine(out.String()))
	}
	return out.String(), nil
}

// tailLines are read of a log.
const tailLines = 20

// Tail implements [chain.Part]. A box that was never made has written nothing.
func (b *box) Tail(ctx context.Context) []string {
	if b == nil || b.id == "" {
		return nil
	}
	r, err := b.d.ContainerLogs(ctx, b.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true,
		Tail: strconv.Itoa(tailLines)})
	if err != nil {
		return nil
	}
	defer r.Close()
	var out bytes.Buffer
	_ = b.split(&out, &out, r) // a torn tail is still a tail
	return slices.DeleteFunc(strings.Split(strings.TrimRight(out.String(), "\n"), "\n"),
		func(l string) bool { return l == "" })
}
