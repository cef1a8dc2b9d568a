//go:build unix

package origin

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// newSharedBoard makes a board that other processes can map. Its file has no
// name, so nothing is left behind when the last of them is gone.
func newSharedBoard() (*board, *os.File, error) {
	f, err := os.CreateTemp("", "origin-board-*")
	if err != nil {
		return nil, nil, fmt.Errorf("make board: %w", err)
	}
	os.Remove(f.Name())
	if err := f.Truncate(int64(unsafe.Sizeof(board{}))); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("size board: %w", err)
	}
	b, err := mapBoard(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return b, f, nil
}

// mapBoard maps the board in f. The mapping lasts as long as the process.
func mapBoard(f *os.File) (*board, error) {
	mem, err := syscall.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(board{})), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map board: %w", err)
	}
	return (*board)(unsafe.Pointer(&mem[0])), nil
}
