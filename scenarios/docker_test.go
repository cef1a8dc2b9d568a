package scenarios_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
)

// fastapiImage is docker/fastapi, as docker/build.sh makes it.
const fastapiImage = "streamproof/fastapi:dev"

// needDocker skips a test that needs containers of the FastAPI app, and fails it
// where the machine promised them.
func needDocker(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	lack := ""
	if out, err := exec.CommandContext(ctx, "docker", "info").CombinedOutput(); err != nil {
		lack = "no Docker on this host: " + lastLine(string(out), err)
	} else if exec.CommandContext(ctx, "docker", "image", "inspect", fastapiImage).Run() != nil {
		lack = "no image " + fastapiImage + ": 'make images' builds it"
	}
	if lack == "" {
		return
	}
	if os.Getenv("STREAMPROOF_REQUIRE_DOCKER") != "" {
		t.Fatal(lack + ", and it is required here")
	}
	t.Skip(lack)
}

func lastLine(out string, err error) string {
	if out == "" {
		return err.Error()
	}
	return out
}

// chat is the FastAPI app in a container. It answers in the shape that a
// scenario asks for, keeps a ledger, and can be asked for its text in one piece.
func chat(env ...string) harness.App {
	const path = "/chat?events={events}&gap={gap}&pause={pause}&pause_at={pause_at}"
	return harness.App{
		Image: fastapiImage, Port: 8000, Health: "/healthz", Env: env, Ledger: "/ledger?nonce={nonce}", Start: time.Minute,
		Stream: harness.Stream{Path: path, Dialect: "openai-chat", PlainPath: path + "&stream=false"},
	}
}
