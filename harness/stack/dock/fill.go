package dock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// fillScript presses memory by a file in shared memory, which is charged to the
// container and belongs to no process: the kernel then kills the biggest, the
// app. It goes on by 1 MiB until the kernel has killed somebody or the file has
// its size, and takes the file away at once, so that what starts next lives.
const fillScript = `f=/dev/shm/streamproof-pressure
kills() { cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null | grep '^oom_kill '; }
before=$(kills) i=0
while [ $i -lt $1 ] && [ "$(kills)" = "$before" ]; do
	dd if=/dev/zero of=$f bs=1048576 count=1 seek=$i conv=notrunc 2>/dev/null || break
	i=$((i+1))
done
rm -f $f
[ "$(kills)" != "$before" ] && echo killed || echo "filled $i"`

// defaultShm is Docker's own size of /dev/shm.
const defaultShm = 64 << 20

// FillMemory implements [stack.Filler]: it presses up to bytes on the replica
// and returns when the kernel has killed one of its processes, or all of bytes
// was taken, which is an error. The container's shared memory must be larger
// than its limit: [stack.App.Shm].
func (s *Stack) FillMemory(ctx context.Context, name string, bytes int64) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	if r.app.memory == 0 {
		return &stack.Unable{What: "fill the memory of " + name, Why: "it has no limit: set the app's memory"}
	}
	if shm := cmp.Or(r.app.shm, defaultShm); shm < r.app.memory {
		return &stack.Unable{What: "fill the memory of " + name, Why: fmt.Sprintf(
			"its shared memory (%s) is smaller than its limit (%s)", bytesText(shm), bytesText(r.app.memory))}
	}
	before, err := r.app.inspect(ctx)
	if err != nil {
		return err
	}
	out, err := r.app.exec(ctx, "sh", "-c", fillScript, "sh", strconv.FormatInt(max(bytes>>20, 1), 10))
	if err != nil && r.app.ended(ctx, before.State.StartedAt) {
		return nil // PID 1 was killed, and our script with it
	}
	if err != nil {
		return fmt.Errorf("fill memory of %s: %w", name, err)
	}
	if out = oneLine(out); out != "killed" {
		return fmt.Errorf("fill memory of %s: %w (%s MiB)", name, errNotFull, out)
	}
	return nil
}

var errNotFull = errors.New("the kernel killed nobody")

// ended reports whether the box's PID 1 has ended since that start, as when the
// kernel took it; Docker may have started it again. The daemon learns of it a
// little later than our script, which died with it.
func (b *box) ended(ctx context.Context, started string) bool {
	for end := time.Now().Add(endLimit); time.Now().Before(end); time.Sleep(pollPause) {
		c, err := b.inspect(ctx)
		if err != nil {
			return false
		}
		if !c.State.Running || c.State.StartedAt != started {
			return true
		}
	}
	return false
}

// endLimit bounds the wait for the daemon's news of an end.
const endLimit = 3 * time.Second
