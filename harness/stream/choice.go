package stream

// maxChoices is the most that the API lets a client ask for (n ≤ 128).
const maxChoices = 128

// A choiceSet is a set of choice indexes.
type choiceSet [maxChoices / 64]uint64

func (s *choiceSet) add(i int64)      { s[i/64] |= 1 << (i % 64) }
func (s *choiceSet) has(i int64) bool { return s[i/64]&(1<<(i%64)) != 0 }

// emptyJSON reports whether raw says nothing: null, "", [], {}, false.
func emptyJSON(raw []byte) bool {
	switch string(raw) {
	case "", "null", `""`, "[]", "{}", "false":
		return true
	}
	return false
}

// strangeEvents is how many events that are none of the API's show that the body
// is another one's, and not this one's failure.
const strangeEvents = 3
