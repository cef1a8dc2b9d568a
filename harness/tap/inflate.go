package tap

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

var (
	errInflated   = errors.New("inflate body: longer than the limit")
	errUnwanted   = errors.New("inflate body: the stream was ended")
	errEncoding   = errors.New("inflate body: content encoding is not supported")
	errCutInflate = errors.New("inflate body: ends inside the compressed data")
)

// An inflater makes a push decoder of Go's pull decompressors. They run in a
// coroutine that is switched to while bytes are pushed and switched away from
// when it wants more, so that whatever a read completes is out before push
// returns, under that read's stamp.
type inflater struct {
	in    []byte
	want  func() (struct{}, bool) // runs the coroutine until it wants bytes
	stop  func()
	yield func(struct{}) bool
	over  bool // no more bytes will come
	begun bool // bytes came
	ended bool // the compressed data have reached their own end
	err   error
}

// newInflater returns a running inflater for a Content-Encoding. It hands the
// inflated bytes to sink until that returns false.
func newInflater(encoding string, limit int64, sink func([]byte) bool) (*inflater, error) {
	switch encoding {
	case "gzip", "x-gzip", "deflate", "br", "zstd":
	default:
		return nil, fmt.Errorf("%w: %q", errEncoding, encoding)
	}
	z := &inflater{}
	z.want, z.stop = iter.Pull(func(yield func(struct{}) bool) {
		z.yield = yield
		z.err = z.run(encoding, limit, sink)
	})
	z.want()
	return z, nil
}

// push inflates p. It returns the error that ended the decompression.
func (z *inflater) push(p []byte) error {
	z.in, z.begun = p, true
	if _, more := z.want(); more {
		return nil
	}
	return z.err
}

// close ends the coroutine. whole says that the compressed data ought to be
// whole; the error says that they are not. No data at all are not called cut.
func (z *inflater) close(whole bool) error {
	z.over = true
	z.want()
	z.stop()
	if whole && z.begun {
		return z.err
	}
	return nil
}

// Read implements io.Reader for the decompressor, in the coroutine.
func (z *inflater) Read(p []byte) (int, error) {
	if !z.fill() {
		return 0, io.EOF
	}
	n := copy(p, z.in)
	z.in = z.in[n:]
	return n, nil
}

// ReadByte keeps compress/flate from reading ahead through a buffer.
func (z *inflater) ReadByte() (byte, error) {
	if !z.fill() {
		return 0, io.EOF
	}
	c := z.in[0]
	z.in = z.in[1:]
	return c, nil
}

func (z *inflater) fill() bool {
	for len(z.in) == 0 {
		if z.over || !z.yield(struct{}{}) || z.over {
			return false
		}
	}
	return true
}

// run inflates until the data end, in the coroutine. Several gzip members may
// follow one another (RFC 1952 section 2.2): each is asked for on its own, because
// a reader that looks for the next keeps back the last bytes of the one before. Zeros
// behind the last are padding, as to gzip(1).
func (z *inflater) run(encoding string, limit int64, sink func([]byte) bool) error {
	r, err := z.decompressor(encoding)
	left := limit
	for err == nil {
		if left, err = z.member(r, left, sink); err != nil {
			break
		}
		z.ended = true
		gz, ok := r.(*gzip.Reader)
		if !ok || z.padded() {
			return nil
		}
		z.ended = false
		err = gz.Reset(z)
		gz.Multistream(false)
	}
	switch {
	case err == io.EOF, err == errUnwanted:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCutInflate
	case err == errInflated:
		return err
	}
	return fmt.Errorf("inflate body: %w", err)
}

// padded takes zeros, and reports whether nothing follows them.
func (z *inflater) padded() bool {
	for z.fill() {
		if z.in[0] != 0 {
			return false
		}
		z.in = z.in[1:]
	}
	return true
}

// member inflates to the end of one member and returns what is left of the limit.
func (z *inflater) member(r io.Reader, left int64, sink func([]byte) bool) (int64, error) {
	buf := make([]byte, 4<<10)
	for {
		n, err := r.Read(buf)
		if left >= 0 && int64(n) > left {
			return left, errInflated
		}
		if left >= 0 {
			left -= int64(n)
		}
		if n > 0 && !sink(buf[:n]) {
			return left, errUnwanted
		}
		if err == io.EOF {
			return left, nil
		}
		if err != nil {
			return left, err
		}
	}
}

// maxWindow is the most that a peer may make a zstd decoder remember: what RFC
// 9659 lets servers use.
const maxWindow = 8 << 20

// decompressor reads the header. "deflate" is the zlib format (RFC 9110 section
// 8.4.1.2), but some servers send it bare: the check bits of the zlib header tell
// them apart (RFC 1950 section 2.2). zstd decodes in our own goroutine, block by
// block: its own goroutines would read ahead.
func (z *inflater) decompressor(encoding string) (io.Reader, error) {
	switch encoding {
	case "br":
		return brotli.NewReader(z), nil
	case "zstd":
		return zstd.NewReader(z, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
	case "deflate":
		return z.zlib()
	}
	r, err := gzip.NewReader(z)
	if err == nil {
		r.Multistream(false)
	}
	return r, err
}

func (z *inflater) zlib() (io.Reader, error) {
	in := bufio.NewReaderSize(z, 16)
	b, err := in.Peek(2)
	if len(b) == 1 && err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if b[0]&0x0f == 8 && (int(b[0])<<8|int(b[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}
