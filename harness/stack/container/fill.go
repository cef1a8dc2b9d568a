package container

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
// app, or whom it was told to blame. It takes most of what is free at once, and
// what the files read so far take, so that the streams of now are met: all in the
// container crawls while it is at the limit. Then it goes on by 1 MiB until the
// kernel has killed somebody or the file has its size (a worker may share most of
// its memory with its master and free little: more would take a second one), and
// gives the memory back at once, so that what starts next lives. At the limit it
// forks nothing: a new process would press too, and be read from disk again and
// again, with everything else that the kernel drops there. printf belongs to the
// shells of Debian, Alpine and busybox; its line is made once before, so that its
// memory is the shell's already.
const fillScript = `f=/dev/shm/streamproof-pressure cg=/sys/fs/cgroup
if [ -r $cg/memory/memory.oom_control ]; then
	events=$cg/memory/memory.oom_control use=$cg/memory/memory.usage_in_bytes max=$cg/memory/memory.limit_in_bytes
	stat=$cg/memory/memory.stat total=total_
else
	events=$cg/memory.events use=$cg/memory.current max=$cg/memory.max stat=$cg/memory.stat total=
fi
printf %1048576s "" >/dev/null
kills() { n=0; while read -r k v; do [ "$k" = oom_kill ] && n=$v; done <$events; }
read -r used <$use; read -r limit <$max
while read -r k v; do case $k in ${total}inactive_file|${total}active_file) used=$((used-v));; esac; done <$stat
kills; before=$n; i=$(((limit - used) / 1048576 - 6))
[ $i -gt $1 ] && i=$1
if [ $i -gt 0 ]; then dd if=/dev/zero of=$f bs=1048576 count=$i 2>/dev/null; else i=0; fi
while kills; [ $i -lt $1 ] && [ $n = $before ]; do
	printf %1048576s "" >>$f 2>/dev/null || break
	i=$((i+1))
done
kills; : >$f; rm -f $f
[ $n != $before ] && echo killed || echo "filled $i"`

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
	if r.box.memory == 0 {
		return &stack.Unable{What: "fill the memory of " + name, Why: "it has no limit: set the app's memory"}
	}
	if shm := cmp.Or(r.box.shm, defaultShm); shm < r.box.memory {
		return &stack.Unable{What: "fill the memory of " + name, Why: fmt.Sprintf(
			"its shared memory (%s) is smaller than its limit (%s)", bytesText(shm), bytesText(r.box.memory))}
	}
	before, err := r.box.inspect(ctx)
	if err != nil {
		return err
	}
	out, err := r.box.exec(ctx, "sh", "-c", fillScript, "sh", strconv.FormatInt(max(bytes>>20, 1), 10))
	if err != nil && r.box.ended(ctx, before.State.StartedAt) {
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
