package fleet

import "testing"

// A release is the same code however it was built; any other build is the same where
// all that is known of it is.
func TestSameVersion(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"v1.2.3", "v1.2.3", true},
		{"v1.2.3", "v1.2.3 0123456789ab", true}, // go install, and a release's image
		{"v1.2.3", "v1.2.4", false},
		{"v1.2.3 0123456789ab", "v1.2.4 0123456789ab", false},
		{"v1.2.3", "v1.2.3 0123456789ab modified", false},
		{"v1.2.3", "v1.2.3+dirty 0123456789ab modified", false},
		{"v1.2.4-0.20261129100831-0123456789ab", "v1.2.4-0.20261129100831-0123456789ab 0123456789ab", false},
		{"(devel)", "(devel)", true},
		{"(devel) 0123456789ab", "(devel) ba9876543210", false},
		{"", "v1.2.3", false},
	} {
		if got := same(c.a, c.b); got != c.want || same(c.b, c.a) != got {
			t.Errorf("%q and %q: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
