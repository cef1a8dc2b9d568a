package origin

import "hash/crc32"

// words make up the text. Some need several bytes a character, so that a network
// which cuts anywhere also cuts inside one; none needs an escape in JSON.
var words = [...]string{
	"every", "stream", "ends", "in", "one", "of", "two", "ways", "whole", "or", "named",
	"as", "broken", "naïve", "größe", "流れ", "поток", "€", "✓", "🌊", "then", "silence",
}

// castagnoli is the polynomial of the checksum in the terminal event.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendText appends the text of an event, exactly size bytes of UTF-8. It
// depends on the stream's key and the event's number alone.
func appendText(b []byte, key uint64, seq, size int) []byte {
	r := mix(key + uint64(seq))
	for left := size; left > 0; {
		w := words[r%uint64(len(words))]
		if len(w) >= left { // no room for the word and its blank
			w = "................................"[:min(left, 32)]
			b, left = append(b, w...), left-len(w)
			continue
		}
		b = append(append(b, w...), ' ')
		left -= len(w) + 1
		r = mix(r)
	}
	return b
}

// keyOf turns a nonce into a key (FNV-1a, 64 bits).
func keyOf(nonce string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(nonce) {
		h = (h ^ uint64(nonce[i])) * 1099511628211
	}
	return h
}

// mix is the output function of SplitMix64: every bit of x reaches every bit of
// the result.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// share maps a nonce to [0, 1). The same nonce gives the same number in every
// process.
func share(nonce string) float64 {
	return float64(mix(keyOf(nonce))>>11) / (1 << 53)
}
