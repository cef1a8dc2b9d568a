package tap

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// nonces are the names of the streams of a run. They are their numbers, encrypted,
// so that whoever has the run's seed can tell which stream a name belongs to, and
// need not remember any:
//
//	8 bytes seq │ 8 bytes zero ── AES-128, key of the seed ──▶ 16 bytes, in hex
type nonces struct{ block cipher.Block }

func newNonces(seed uint64) nonces {
	key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, seed))
	block, err := aes.NewCipher(key[:aes.BlockSize])
	if err != nil {
		panic(fmt.Sprintf("set up nonces: %v", err)) // the key has one of its lengths
	}
	return nonces{block}
}

// of is the name of stream seq.
func (n nonces) of(seq uint64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], seq)
	n.block.Encrypt(b[:], b[:])
	return hex.EncodeToString(b[:])
}

// owner is the number of the stream whose name is id, in upper or lower case, with
// dashes or without. Chance makes a name of one in 2^64 other IDs.
func (n nonces) owner(id string) (seq uint64, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(b) != aes.BlockSize {
		return 0, false
	}
	n.block.Decrypt(b, b)
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]) == 0
}

// Nonce is the name of stream seq in a run with this seed: 32 hex digits that
// nobody guesses who does not know the seed.
func Nonce(seed, seq uint64) string { return newNonces(seed).of(seq) }

// Owner is the number of the stream of this run whose nonce is id, however an app
// writes it. A client that retries sends the nonce of its first stream again, which
// is the owner.
func (t *Tap) Owner(id string) (seq uint64, ok bool) { return t.nonces.owner(id) }
