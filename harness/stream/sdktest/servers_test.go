package sdktest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/aisdk-go"
	"github.com/gin-gonic/gin"
	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/middleware"

	"github.com/streamproof/streamproof/harness/stream"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// ollamaServer answers as Ollama does: its own middleware turns what a model says into the
// streams of its APIs. Only the model is ours.
func ollamaServer(t *testing.T, says ...any) *httptest.Server {
	t.Helper()
	model := func(c *gin.Context) {
		c.Header("Content-Type", "application/x-ndjson") // as server/routes.go of Ollama
		c.Stream(func(w io.Writer) bool {
			for _, part := range says {
				line, err := json.Marshal(part)
				if err != nil {
					t.Error(err)
				}
				if _, err := w.Write(append(line, '\n')); err != nil {
					return false
				}
				c.Writer.Flush()
			}
			return false
		})
	}
	r := gin.New()
	r.POST("/api/chat", model)
	r.POST("/v1/chat/completions", middleware.ChatMiddleware(), model)
	r.POST("/v1/responses", middleware.ResponsesMiddleware(), model)
	r.POST("/v1/messages", middleware.AnthropicMessagesMiddleware(), model)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return srv
}

// post asks a server, and returns media type and body of its answer.
func post(t *testing.T, url, body string) (media, answer string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, text)
	}
	return resp.Header.Get("Content-Type"), string(text)
}

// whole holds that a body is complete, and recognised for sure; and that no cut of it is
// complete where want lacks, corrupt, or an error.
func whole(t *testing.T, dialect, media, body, last string) told {
	t.Helper()
	got := tell(t, dialect, body)
	if got.State != stream.Complete || got.Errors > 0 {
		t.Errorf("%q (%s), %d errors\n%s", got.State, got.Why, got.Errors, body)
	}
	if g := stream.Identify(media, []byte(body))[0]; g.Dialect != dialect || !g.Certain || g.Unknown {
		t.Errorf("taken for %+v\n%s", g, body)
	}
	end := strings.LastIndex(body, last)
	if end < 0 {
		t.Fatalf("no %q in\n%s", last, body)
	}
	for n := range end {
		if s := tell(t, dialect, body[:n]); s.State == stream.Complete || s.State == stream.Corrupt || s.Errors > 0 {
			t.Fatalf("cut at byte %d of %d: %q (%s), %d errors", n, len(body), s.State, s.Why, s.Errors)
		}
	}
	return got
}

// said is one part of what the model says.
func said(m api.Message) api.ChatResponse {
	return api.ChatResponse{Model: "m", CreatedAt: time.Unix(1764057600, 250e6).UTC(), Message: m}
}

func words(content string) api.ChatResponse {
	return said(api.Message{Role: "assistant", Content: content})
}

// over is the last part.
func over(reason string) api.ChatResponse {
	r := words("")
	r.Done, r.DoneReason = true, reason
	r.Metrics = api.Metrics{PromptEvalCount: 9, EvalCount: 3, TotalDuration: time.Second}
	return r
}

// What Ollama writes, in its own API and in those of OpenAI and Anthropic, is complete or,
// where the model breaks off, cut.
func TestOllamaServes(t *testing.T) {
	const ask = `{"model":"m","stream":true,"max_tokens":99,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}],"input":"hi"}`
	thought := said(api.Message{Role: "assistant", Thinking: "hm"})
	for _, tt := range []struct {
		path, dialect, last string // the last bytes without which an answer is none
	}{
		{"/api/chat", "ollama", "}"},
		{"/v1/chat/completions", "openai-chat", "]"},
		{"/v1/responses", "openai-responses", "}"},
		{"/v1/messages", "anthropic-messages", "}"},
	} {
		t.Run(tt.dialect, func(t *testing.T) {
			parts := []any{thought, words("Grüße"), words(" aus Köln.")}
			media, body := post(t, ollamaServer(t, append(parts[:3:3], over("stop"))...).URL+tt.path, ask)
			got := whole(t, tt.dialect, media, body, tt.last)
			if got.content != 3 || got.Reasoning != 1 || got.Usage.Output != 3 {
				t.Errorf("%d events of content, %d of reasoning, tokens %+v; want 3, 1, 3 out\n%s", got.content, got.Reasoning, got.Usage, body)
			}
			_, body = post(t, ollamaServer(t, parts...).URL+tt.path, ask)
			if s := tell(t, tt.dialect, body); s.State != stream.Prefix || s.Finished || s.Errors > 0 {
				t.Errorf("the model broke off: %q (%s)\n%s", s.State, s.Why, body)
			}
			_, body = post(t, ollamaServer(t, append(parts[:3:3], map[string]string{"error": "the kiln went out"})...).URL+tt.path, ask)
			s := tell(t, tt.dialect, body)
			switch loses := !strings.Contains(body, "the kiln went out"); {
			case s.State == stream.Complete:
				t.Errorf("the model failed: complete\n%s", body)
			case !loses && (s.Errors != 1 || s.ErrorText != "the kiln went out"):
				t.Errorf("the model failed: %q, %d errors, %q\n%s", s.State, s.Errors, s.ErrorText, body)
			case loses:
				t.Logf("%s: Ollama drops the model's error from the stream", tt.path)
			}
		})
	}
}

// What Coder's server of Vercel's data stream writes is complete, failed, or cut.
func TestAISDKServes(t *testing.T) {
	serve := func(parts ...aisdk.DataStreamPart) (media, body string) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			aisdk.WriteDataStreamHeaders(w)
			stream := aisdk.DataStream(func(yield func(aisdk.DataStreamPart, error) bool) {
				for _, p := range parts {
					if !yield(p, nil) {
						return
					}
				}
			})
			if err := stream.Pipe(w); err != nil {
				t.Error(err)
			}
		}))
		defer srv.Close()
		return post(t, srv.URL, "{}")
	}
	in, out := int64(9), int64(3)
	usage := aisdk.Usage{PromptTokens: &in, CompletionTokens: &out}
	begun := []aisdk.DataStreamPart{
		aisdk.StartStepStreamPart{MessageID: "m1"}, aisdk.ReasoningStreamPart{Content: "hm"},
		aisdk.ToolCallStartStreamPart{ToolCallID: "c1", ToolName: "fire"}, aisdk.ToolCallDeltaStreamPart{ToolCallID: "c1", ArgsTextDelta: `{"t":1240}`},
		aisdk.ToolCallStreamPart{ToolCallID: "c1", ToolName: "fire", Args: map[string]any{"t": 1240}}, aisdk.ToolResultStreamPart{ToolCallID: "c1", Result: "fired"},
		aisdk.SourceStreamPart{SourceType: "url", ID: "s1", URL: "http://127.0.0.1/kiln", Title: "Kiln"},
		aisdk.TextStreamPart{Content: "fired at "}, aisdk.TextStreamPart{Content: "1,240 °C"},
	}
	media, body := serve(append(begun[:len(begun):len(begun)],
		aisdk.FinishStepStreamPart{FinishReason: aisdk.FinishReasonStop, Usage: usage}, aisdk.FinishMessageStreamPart{FinishReason: aisdk.FinishReasonStop, Usage: usage})...)
	got := whole(t, "vercel-ui", media, body, "}")
	if got.content != 7 || got.Reasoning != 1 || got.Tools != 4 || got.Usage.Input != 9 || got.Usage.Output != 3 {
		t.Errorf("%d events of content, %d of reasoning, %d of tools, tokens %+v\n%s", got.content, got.Reasoning, got.Tools, got.Usage, body)
	}
	_, body = serve(append(begun[:len(begun):len(begun)], aisdk.ErrorStreamPart{Content: "the kiln went out"})...)
	if s := tell(t, "vercel-ui", body); s.Errors != 1 || s.State == stream.Complete || s.ErrorText != "the kiln went out" {
		t.Errorf("%+v\n%s", s, body)
	}
	_, body = serve(append(begun[:len(begun):len(begun)], aisdk.FinishMessageStreamPart{FinishReason: aisdk.FinishReasonError})...)
	if s := tell(t, "vercel-ui", body); s.Errors != 1 || s.State == stream.Complete {
		t.Errorf("finished by an error: %+v\n%s", s, body)
	}
}

// What gin's encoder of SSE writes, in the events that LangServe documents and in those of
// an API that nobody knows, is complete, failed, or cut.
func TestGinServes(t *testing.T) {
	serve := func(events ...[2]any) (media, body string) {
		r := gin.New()
		r.POST("/", func(c *gin.Context) {
			for _, e := range events {
				c.SSEvent(e[0].(string), e[1])
				c.Writer.Flush()
			}
		})
		srv := httptest.NewServer(r)
		defer srv.Close()
		return post(t, srv.URL, "{}")
	}
	begun := [][2]any{{"metadata", map[string]string{"run_id": "b7b7a5a1-5f4b-4d9c-8a8e-7a9c6c1c2a10"}},
		{"data", map[string]any{"content": "fired", "type": "AIMessageChunk", "id": "run-1", "tool_call_chunks": []any{}}},
		{"data", map[string]any{"content": " at 1,240 °C", "type": "AIMessageChunk", "id": "run-1", "tool_call_chunks": []any{}}}}
	media, body := serve(append(begun[:3:3], [2]any{"end", ""})...)
	whole(t, "langserve", media, body, "end")
	_, body = serve(append(begun[:3:3], [2]any{"error", map[string]any{"status_code": 500, "message": "the kiln went out"}})...)
	if s := tell(t, "langserve", body); s.Errors != 1 || s.State == stream.Complete || s.ErrorText != "the kiln went out" {
		t.Errorf("%+v\n%s", s, body)
	}
	_, body = serve(begun...)
	if s := tell(t, "langserve", body); s.State != stream.Prefix || s.Errors > 0 {
		t.Errorf("%+v\n%s", s, body)
	}
}
