package harness

import (
	"strings"
	"testing"
)

func TestSecretsReachNothingThatIsWritten(t *testing.T) {
	t.Setenv("STREAMPROOF_TEST_KEY", "k3y-of-the-realm")
	app := App{URL: "http://127.0.0.1:1", Stream: Stream{
		Headers: map[string]string{
			"Authorization": "Bearer s3cret-token",
			"X-Custom":      "id=${STREAMPROOF_TEST_KEY}",
			"Accept":        "text/event-stream",
		},
		Body: `{"key": "${STREAMPROOF_TEST_KEY}"}`,
	}}
	s, err := app.secrets()
	if err != nil {
		t.Fatal(err)
	}
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

func TestUnsetVariableIsRefused(t *testing.T) {
	app := App{Stream: Stream{Headers: map[string]string{"X-Key": "${STREAMPROOF_NO_SUCH_VARIABLE}"}}}
	err := app.Validate()
	if err == nil || !strings.Contains(err.Error(), "stream.headers.X-Key: environment variable STREAMPROOF_NO_SUCH_VARIABLE is not set") {
		t.Fatalf("got %v", err)
	}
}
