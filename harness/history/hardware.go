package history

import (
	"os"
	"strconv"
	"strings"
)

// hardware is the CPU's model and the memory in MiB as Linux tells them; nothing where
// it does not.
func hardware() (cpu string, memory int64) {
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		cpu = field(string(b), "model name")
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		kib, _ := strconv.ParseInt(strings.TrimSuffix(field(string(b), "MemTotal"), " kB"), 10, 64) // 0: unknown
		memory = kib / 1024
	}
	return cpu, memory
}

// field is the value of the first "name: value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
