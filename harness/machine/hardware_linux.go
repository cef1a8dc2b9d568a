package machine

import "github.com/prometheus/procfs"

// Hardware is the CPU's model and the memory in MiB; "" and 0 where /proc does not
// tell them.
func Hardware() (cpu string, memory int64) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return "", 0
	}
	if all, err := fs.CPUInfo(); err == nil && len(all) > 0 {
		cpu = all[0].ModelName
	}
	if m, err := fs.Meminfo(); err == nil && m.MemTotal != nil {
		memory = int64(*m.MemTotal) / 1024 // from KiB
	}
	return cpu, memory
}
