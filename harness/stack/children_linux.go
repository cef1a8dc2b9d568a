package stack

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Children lists the direct children of pid, sorted. The kernel keeps them per
// thread; reading them costs a few files and not all of /proc, so that it can be
// done often.
func Children(pid int) (found []int, ok bool) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, false
	}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err != nil {
			continue // the thread has ended meanwhile
		}
		for _, field := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				found = append(found, child)
			}
		}
	}
	slices.Sort(found)
	return found, true
}
