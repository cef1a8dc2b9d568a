package history

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The machine of a row is the one that the record names, whoever reads it. Records that
// name none are of an unknown machine, which is the same as no other.
func TestMachineIsTheRecords(t *testing.T) {
	t.Parallel()
	of := func(h record.Host) Machine {
		row := (&Collector{}).Row(&record.Run{Plan: record.Plan{Host: h}}, &verdict.Report{})
		return row.Machine
	}
	host := record.Host{OS: "linux", Arch: "riscv64", CPUs: 96, CPU: "Thundering 9", Memory: 7936}
	m := of(host)
	if m.String() != "96 × Thundering 9, 8192 MiB, linux/riscv64" || m.Unknown {
		t.Errorf("got %s", m)
	}
	host.Memory = 7931 // another kernel
	if !of(host).Same(m) || of(host).Fingerprint() != m.Fingerprint() {
		t.Errorf("%s and %s are two machines", of(host), m)
	}
	host.Memory = 15900
	if of(host).Same(m) {
		t.Errorf("%s and %s are one machine", of(host), m)
	}
	old := of(record.Host{OS: "linux", Arch: "riscv64", CPUs: 96})
	if !old.Unknown || old.Same(m) || m.Same(old) || old.Same(old) || old.Fingerprint() != "unknown" {
		t.Errorf("of an old record: %+v", old)
	}
}

func TestInstalledMemory(t *testing.T) {
	t.Parallel()
	for got, want := range map[int64]int64{0: 0, 1: 1, 963: 1024, 1983: 2048, 3746: 3840, 3919: 4096, 7936: 8192,
		8192: 8192, 15990: 16384, 31989: 32768, 64226: 65536, 128800: 131072} {
		if is := installed(got); is != want {
			t.Errorf("%d MiB: got %d, want %d", got, is, want)
		}
	}
}
