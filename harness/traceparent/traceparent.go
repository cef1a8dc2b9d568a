// Package traceparent names the trace and the span of a stream, so that the request can
// carry them and whoever has the record finds them again without remembering any.
package traceparent

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Header is the field of a request that carries a trace (W3C Trace Context, section 3.2).
const Header = "Traceparent"

// IDs are those of stream seq with a nonce, in the run that started at a time: the same
// run again, with the same seed, has others. A client that asks again keeps its nonce and
// so its trace; its new stream is another span in it. Neither ID is all zeros but by a
// chance of one in 2^64.
func IDs(run time.Time, nonce string, seq uint64) (trace [16]byte, span [8]byte) {
	b := binary.BigEndian.AppendUint64(nil, uint64(run.UnixNano()))
	sum := sha256.Sum256(append(b, nonce...))
	copy(trace[:], sum[:])
	sum = sha256.Sum256(binary.BigEndian.AppendUint64(sum[:], seq))
	copy(span[:], sum[:])
	return trace, span
}

// Of is the value of the field: version 0, trace, span, and the flag that the trace is
// sampled (section 3.2.2).
func Of(run time.Time, nonce string, seq uint64) string {
	trace, span := IDs(run, nonce, seq)
	return fmt.Sprintf("00-%x-%x-01", trace, span)
}
