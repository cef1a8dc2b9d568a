package chain

import (
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// ListScript prints "pid ppid state command" for each process that a shell sees in its
// container, with the shell's built-ins and tr alone. [ParseList] reads it.
const ListScript = `for d in /proc/[0-9]*; do
	[ "${d#/proc/}" = $$ ] && continue
	while read -r k v; do case $k in PPid:) p=$v;; State:) s=${v%% *};; esac; done <$d/status || continue
	echo "${d#/proc/} $p $s $(tr '\0' ' ' <$d/cmdline)"
done 2>/dev/null`

// ParseList reads what [ListScript] printed. Zombies and the script itself do not count.
func ParseList(out string) (list []Process) {
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(f) < 4 || f[2] == "Z" || strings.HasPrefix(f[3], "sh -c for d in /proc") || strings.HasPrefix(f[3], "tr ") {
			continue
		}
		p := Process{Process: stack.Process{Command: strings.TrimSpace(f[3])}}
		p.Pid, _ = strconv.Atoi(f[0])
		p.Parent, _ = strconv.Atoi(f[1])
		list = append(list, p)
	}
	return list
}
