package chat_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

func TestChat(t *testing.T) {
	app := harness.App{
		Command: []string{"./server", "--port", "{port}"},
		Health:  "/healthz",
		Stream:  harness.Stream{Path: "/chat", Dialect: "openai-chat"},
	}
	scenarios.Run(t, app, scenarios.Standard()...)
}
