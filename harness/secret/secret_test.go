package secret

import "testing"

func TestSecretsReachNothingThatIsWritten(t *testing.T) {
	t.Setenv("STREAMPROOF_TEST_KEY", "k3y-of-the-realm")
	s := Of(map[string]string{
		"Authorization": "Bearer s3cret-token",
		"X-Custom":      "id=${STREAMPROOF_TEST_KEY}",
		"Accept":        "text/event-stream",
	}, `{"key": "${STREAMPROOF_TEST_KEY}"}`)
	for _, tc := range []struct{ in, want string }{
		{"sent k3y-of-the-realm", "sent ${STREAMPROOF_TEST_KEY}"},
		{"Authorization: Bearer s3cret-token", "Authorization: [authorization withheld]"},
		{"token s3cret-token", "token [authorization withheld]"},
		{"Accept: text/event-stream", "Accept: text/event-stream"},
	} {
		if got := s.Hide(tc.in); got != tc.want {
			t.Errorf("hide(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}
