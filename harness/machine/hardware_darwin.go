package machine

import "golang.org/x/sys/unix"

// Hardware is the CPU's model and the memory in MiB; "" and 0 where the kernel does not
// tell them.
func Hardware() (cpu string, memory int64) {
	cpu, _ = unix.Sysctl("machdep.cpu.brand_string") // "" if there is none
	bytes, _ := unix.SysctlUint64("hw.memsize")      // likewise 0
	return cpu, int64(bytes >> 20)
}
