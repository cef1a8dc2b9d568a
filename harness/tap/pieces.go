package tap

// An Inflater undoes a Content-Encoding piece by piece, as streams are read: what
// the bytes pushed so far complete is out when Push returns.
type Inflater struct {
	z   *inflater
	out []byte
}

// NewInflater returns an inflater for gzip, deflate, br or zstd, which gives at most
// limit bytes in all. It must be closed.
func NewInflater(encoding string, limit int64) (*Inflater, error) {
	i := &Inflater{}
	var err error
	i.z, err = newInflater(encoding, limit, func(p []byte) bool {
		i.out = append(i.out, p...)
		return true
	})
	return i, err
}

// Push returns what p completes; it is valid until the next call. An error ends the
// decompression.
func (i *Inflater) Push(p []byte) ([]byte, error) {
	i.out = i.out[:0]
	err := i.z.push(p)
	return i.out, err
}

// Finish ends the decompression of a body that came to its end, and says whether its data
// did too.
func (i *Inflater) Finish() error { return i.z.close(true) }

// Close ends the decompression.
func (i *Inflater) Close() { i.z.close(false) }
