package record

import "time"

// A MachineSample is what the machine did between two looks at it. CPU times
// are sums over all cores: two busy cores make two seconds of each.
type MachineSample struct {
	At   time.Duration `cbor:"1,keyasint,omitempty"` // end of the time that it is about
	Over time.Duration `cbor:"2,keyasint,omitempty"` // length of that time
	// Late is how much after its time the look came: nobody woke us.
	Late time.Duration `cbor:"3,keyasint,omitempty"`
	// Known says that the kernel's counters could be read: the fields below mean
	// nothing without it.
	Known bool `cbor:"4,keyasint,omitempty"`
	// Busy is the CPU time that all programs took, Steal what other virtual
	// machines took of our cores.
	Busy  time.Duration `cbor:"5,keyasint,omitempty"`
	Steal time.Duration `cbor:"6,keyasint,omitempty"`
	// OursRan is the CPU time that the load generator took, OursWaited how long the
	// thread of it waited for a CPU that waited longest.
	OursRan    time.Duration `cbor:"7,keyasint,omitempty"`
	OursWaited time.Duration `cbor:"8,keyasint,omitempty"`
	// AppRan and AppWaited are the same of the system under test, as far as its
	// processes are known; Whole says that all of them are.
	AppRan    time.Duration `cbor:"9,keyasint,omitempty"`
	AppWaited time.Duration `cbor:"10,keyasint,omitempty"`
	Whole     bool          `cbor:"11,keyasint,omitempty"`
	// Throttled is how long a CPU quota kept the app from running.
	Throttled time.Duration `cbor:"12,keyasint,omitempty"`
	// DiskWait is how long some program of the machine waited for a disk
	// (/proc/pressure/io, "some"), AppOnDisk how much of the time the app is taken to
	// have waited, too: a thread of it was seen to. Both are 0 where the kernel does not
	// tell, or nobody may ask what the app read and wrote.
	DiskWait  time.Duration `cbor:"13,keyasint,omitempty"`
	AppOnDisk time.Duration `cbor:"14,keyasint,omitempty"`
	// DiskBytes is what all programs read from disks and wrote to them, AppDiskBytes
	// the app's part of it.
	DiskBytes    int64 `cbor:"15,keyasint,omitempty"`
	AppDiskBytes int64 `cbor:"16,keyasint,omitempty"`
	// AppHeld is the longest time at a stretch for which a thread of the app was ready to
	// run and got no core, at least: it ended in the time that this is about, or goes on.
	// It may be longer than Over, and the kernel tells of it when it is over, so AppWaited
	// lacks what lies before Over.
	AppHeld time.Duration `cbor:"17,keyasint,omitempty"`
}
