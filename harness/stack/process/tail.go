package process

import (
	"io"
	"os"
	"strings"
)

const (
	tailBytes = 16 << 10
	tailLines = 20
)

// tail returns the last lines of a log, at most tailLines; nil where it cannot
// be read. from is where the log stood before the lines that matter.
func tail(path string, from int64) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	from = max(from, size-tailBytes)
	b, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	text := strings.TrimRight(string(b), "\r\n ")
	if err != nil || text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-tailLines):]
}

// sizeOf is the length of a file, 0 where there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
