package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// execLimit bounds one command in a container.
const execLimit = 30 * time.Second

// An exit is the end of a command in a container that was no success.
type exit struct{ what string }

func (e *exit) Error() string { return e.what }

// exec runs a shell script in the pod's container and returns what it wrote. The error is
// an [*exit] where it ran, or its container could not run it.
func (s *Stack) exec(ctx context.Context, pod, script string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, execLimit)
	defer cancel()
	query := url.Values{"container": {s.container}, "stdout": {"true"}, "stderr": {"true"},
		"command": append([]string{"sh", "-c", script, "sh"}, args...)}
	up, err := s.client.upgrade(ctx, s.client.in("v1", "pods", pod, "exec"), query, "v4.channel.k8s.io")
	if err != nil {
		return "", err
	}
	defer up.Close()
	stop := context.AfterFunc(ctx, func() { up.Close() })
	defer stop()
	var out [3]bytes.Buffer
	var all sync.WaitGroup
	for i, kind := range []string{"error", "stdout", "stderr"} {
		h := http.Header{}
		h.Set("streamType", kind)
		stream, err := up.CreateStream(h)
		if err != nil {
			return "", err
		}
		if kind == "error" {
			stream.Close() // nothing is written to it
		}
		all.Go(func() { _, _ = io.Copy(&out[i], io.LimitReader(stream, 1<<20)) }) // ends with up; a torn answer fails below
	}
	all.Wait()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var end struct{ Status, Message string }
	if err := json.Unmarshal(out[0].Bytes(), &end); err != nil {
		return out[1].String(), &exit{"the connection broke off"}
	}
	if end.Status != "Success" {
		return out[1].String(), &exit{oneLine(end.Message + " " + out[2].String())}
	}
	return out[1].String(), nil
}

// ran reports whether err is that of a command which its container ran, or could not.
func ran(err error) bool {
	var e *exit
	return errors.As(err, &e)
}

// fillScript takes memory until the kernel has killed somebody in the container, and prints
// its counter before and after. The memory lies in variables of shells, each of which
// takes a few MiB and then starts the next: the kernel takes the biggest process of those
// that it was not told to spare, and that must be the app and none of ours. All of it is
// given back at once when the innermost shell ends.
//
//	$1 this script  $2 MiB to go  $3 MiB for each shell  $4 the counter before, "" for the first shell
const fillScript = `cg=/sys/fs/cgroup
events=$cg/memory.events
[ -r $cg/memory/memory.oom_control ] && events=$cg/memory/memory.oom_control
[ -r $events ] || { echo blind; exit; }
kills() { n=0; while read -r k v; do [ "$k" = oom_kill ] && n=$v; done <$events; }
kills; before=${4:-$n}
y=' '; i=0
while [ $i -lt 20 ]; do y=$y$y; i=$((i+1)); done
i=0
while kills; [ $i -lt $3 ] && [ $n = $before ]; do eval "v$i=\$y"; i=$((i+1)); done
kills
[ $n != $before ] && { echo "killed $before $n"; exit; }
[ $2 -gt 0 ] || { echo filled; exit; }
sh -c "$1" sh "$1" $(($2 - $3)) $3 $before`

// quoted names a script's failure for the user.
func quoted(err error) string { return strings.TrimSuffix(fmt.Sprint(err), ".") }
