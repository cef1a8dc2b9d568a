package stream

import (
	"testing"
	"unsafe"
)

// What one idle stream costs in here is small beside the 8 to 12 KiB that it may
// cost in all.
func TestIdleStreamIsSmall(t *testing.T) {
	const bound = 1<<10 + 1<<6
	decoder := unsafe.Sizeof(sseDecoder{})
	for name, reader := range map[string]uintptr{
		"origin":  unsafe.Sizeof(originReader{}),
		"chat":    unsafe.Sizeof(dataReader{}) + unsafe.Sizeof(label{}),
		"nested":  unsafe.Sizeof(dataReader{}) + unsafe.Sizeof(nested{}),
		"generic": unsafe.Sizeof(genericReader{}),
		"text":    unsafe.Sizeof(textReader{}),
	} {
		if n := decoder + reader; n > bound {
			t.Errorf("%s: decoder and reader take %d bytes, bound is %d", name, n, bound)
		}
	}
	t.Logf("SSE decoder %d bytes, origin reader %d", decoder, unsafe.Sizeof(originReader{}))
}
