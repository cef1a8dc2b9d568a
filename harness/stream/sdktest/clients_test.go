package sdktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrock "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	cohere "github.com/cohere-ai/cohere-go/v2"
	cohereclient "github.com/cohere-ai/cohere-go/v2/client"
	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"google.golang.org/genai"
)

const nowhere = "http://127.0.0.1:9/v1"

func openaiClient(a answer) openai.Client {
	return openai.NewClient(openaioption.WithBaseURL(nowhere), openaioption.WithAPIKey("none"), openaioption.WithMaxRetries(0),
		openaioption.WithHTTPClient(a.client()))
}

// choices are those of an answer, and which of them have ended.
type choices map[int64]bool

func (c choices) see(index int64, reason string) { c[index] = c[index] || reason != "" }

func (c choices) finished() bool {
	for _, over := range c {
		if !over {
			return false
		}
	}
	return len(c) > 0
}

// holds reports whether a member that is kept as JSON has something in it.
func holds(raw string) bool {
	switch raw {
	case "", "null", `""`, "[]", "{}":
		return false
	}
	return true
}

// openaiChat reads with OpenAI's own SDK.
func openaiChat(t *testing.T, name string, a answer) (h heard) {
	client, seen := openaiClient(a), choices{}
	if name == "completions" {
		s := client.Completions.NewStreaming(t.Context(), openai.CompletionNewParams{Model: "m", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("hi")}})
		for s.Next() {
			for _, c := range s.Current().Choices {
				seen.see(c.Index, string(c.FinishReason))
				if c.Text != "" {
					h.content++
				}
			}
		}
		h.err, h.finished = s.Err(), seen.finished()
		return h
	}
	s := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")}})
	for s.Next() {
		chunk, content := s.Current(), false
		for _, c := range chunk.Choices {
			seen.see(c.Index, c.FinishReason)
			if c.FinishReason != "" {
				h.reason = c.FinishReason
			}
			content = content || holds(c.Delta.JSON.Content.Raw()) || holds(c.Delta.JSON.Refusal.Raw()) || len(c.Delta.ToolCalls) > 0
			for _, more := range c.Delta.JSON.ExtraFields {
				content = content || holds(more.Raw())
			}
		}
		if content {
			h.content++
		}
		if u := chunk.Usage; u.TotalTokens > 0 {
			h.input, h.output = u.PromptTokens, u.CompletionTokens
		}
	}
	h.err, h.finished = s.Err(), seen.finished()
	return h
}

// emptyData is what some servers keep connections open with. The standard says that such
// an event is dispatched with empty data.
const emptyData = "an event with empty data is an error for the SDK, which parses it as JSON"

// The clients of OpenAI read what every API like it sends as the dialects do.
func TestOpenAIChat(t *testing.T) {
	const beat, other = emptyData, "an error without the member error is none for OpenAI's SDK"
	for dialect, odds := range map[string]odd{
		"openai-chat": {"keepalive": beat}, "azure-openai": {"keepalive": beat}, "litellm": {"keepalive": beat},
		"vllm":    {"keepalive": beat, "older-error": other},
		"mistral": {"keepalive": beat, "error-before": other, "error-after": other},
	} {
		t.Run(dialect, func(t *testing.T) { agree(t, dialect, nil, odds, openaiChat) })
	}
}

// goOpenAI reads with the client of sashabaranov, which most Go programs had before.
func goOpenAI(t *testing.T, _ string, a answer) (h heard) {
	config := goopenai.DefaultConfig("none")
	config.BaseURL, config.HTTPClient = nowhere, a.client()
	s, err := goopenai.NewClientWithConfig(config).CreateChatCompletionStream(t.Context(), goopenai.ChatCompletionRequest{Model: "m",
		Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "hi"}}})
	if err != nil {
		return heard{err: err}
	}
	defer s.Close()
	seen := choices{}
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			h.err = err
			break
		}
		content := false
		for _, c := range chunk.Choices {
			seen.see(int64(c.Index), string(c.FinishReason))
			if c.FinishReason != "" {
				h.reason = string(c.FinishReason)
			}
			content = content || c.Delta.Content+c.Delta.ReasoningContent+c.Delta.Refusal != "" || len(c.Delta.ToolCalls) > 0
		}
		if content {
			h.content++
		}
		if chunk.Usage != nil {
			h.input, h.output = int64(chunk.Usage.PromptTokens), int64(chunk.Usage.CompletionTokens)
		}
	}
	h.finished = seen.finished()
	return h
}

func TestGoOpenAI(t *testing.T) {
	agree(t, "openai-chat", odd{"completions": "the older API has types of its own"}, odd{"keepalive": emptyData}, goOpenAI)
}

func openaiResponses(t *testing.T, _ string, a answer) (h heard) {
	client := openaiClient(a)
	s := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")}})
	for s.Next() {
		e := s.Current()
		switch e.Type {
		case "response.completed", "response.incomplete":
			h.finished = true
			h.input, h.output = e.Response.Usage.InputTokens, e.Response.Usage.OutputTokens
		case "response.failed":
			h.err = errors.New(e.Response.Error.Message)
		case "error":
			h.err = errors.New(e.Message)
		}
		if strings.HasSuffix(e.Type, ".delta") || e.Type == "response.output_item.added" && e.Item.Type == "function_call" {
			h.content++
		}
	}
	if h.err == nil {
		h.err = s.Err()
	}
	return h
}

func TestOpenAIResponses(t *testing.T) { agree(t, "openai-responses", nil, nil, openaiResponses) }

func anthropicMessages(t *testing.T, _ string, a answer) (h heard) {
	client := anthropic.NewClient(anthropicoption.WithBaseURL(nowhere), anthropicoption.WithAPIKey("none"), anthropicoption.WithMaxRetries(0),
		anthropicoption.WithHTTPClient(a.client()))
	s := client.Messages.NewStreaming(t.Context(), anthropic.MessageNewParams{Model: "m", MaxTokens: 9,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}})
	var m anthropic.Message
	for s.Next() {
		e := s.Current()
		if err := m.Accumulate(e); err != nil && h.err == nil {
			h.err = err // what a program that keeps the message gets
		}
		switch e.Type {
		case "content_block_delta":
			if e.Delta.Type != "signature_delta" {
				h.content++
			}
		case "content_block_start":
			if e.ContentBlock.Type == "tool_use" {
				h.content++
			}
		case "message_stop":
			h.finished = true
		}
	}
	if h.err == nil {
		h.err = s.Err()
	}
	h.reason, h.input, h.output = string(m.StopReason), m.Usage.InputTokens, m.Usage.OutputTokens
	return h
}

func TestAnthropicMessages(t *testing.T) {
	agree(t, "anthropic-messages", nil, nil, anthropicMessages)
}

func gemini(t *testing.T, _ string, a answer) (h heard) {
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{APIKey: "none", Backend: genai.BackendGeminiAPI, HTTPClient: a.client(),
		HTTPOptions: genai.HTTPOptions{BaseURL: "http://127.0.0.1:9"}})
	if err != nil {
		t.Fatal(err)
	}
	seen := choices{}
	for r, err := range client.Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		if err != nil {
			h.err = err
			break
		}
		content := false
		for _, c := range r.Candidates {
			seen.see(int64(c.Index), string(c.FinishReason))
			if c.FinishReason != "" {
				h.reason = string(c.FinishReason)
			}
			if c.Content == nil {
				continue
			}
			for _, p := range c.Content.Parts {
				content = content || p.Text != "" || p.FunctionCall != nil || p.ExecutableCode != nil
			}
		}
		if content {
			h.content++
		}
		h.last = content && seen.finished()
		if f := r.PromptFeedback; f != nil && f.BlockReason != "" {
			h.finished = true
		}
		if u := r.UsageMetadata; u != nil {
			h.input, h.output = int64(u.PromptTokenCount), int64(u.CandidatesTokenCount)
		}
	}
	h.finished = h.finished || seen.finished()
	return h
}

func TestGemini(t *testing.T) {
	const sseOnly = "the SDK asks for SSE alone"
	agree(t, "gemini", odd{"array": sseOnly, "array-error": sseOnly}, odd{"keepalive": "the SDK takes a comment of SSE for an error"}, gemini)
}

func cohereChat(t *testing.T, name string, a answer) (h heard) {
	client := cohereclient.NewClient(cohereclient.WithBaseURL("http://127.0.0.1:9"), cohereclient.WithToken("none"), cohereclient.WithHTTPClient(a.client()))
	if name == "version1" {
		s, err := client.ChatStream(t.Context(), &cohere.ChatStreamRequest{Message: "hi"})
		if err != nil {
			return heard{err: err}
		}
		defer s.Close()
		for {
			e, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return h
			}
			if err != nil {
				h.err = err
				return h
			}
			switch e.EventType {
			case "text-generation":
				h.content++
			case "stream-end":
				h.finished, h.reason = true, string(e.StreamEnd.FinishReason)
			}
		}
	}
	s, err := client.V2.ChatStream(t.Context(), &cohere.V2ChatStreamRequest{Model: "m",
		Messages: cohere.ChatMessages{{Role: "user", User: &cohere.UserMessageV2{Content: &cohere.UserMessageV2Content{String: "hi"}}}}})
	if err != nil {
		return heard{err: err}
	}
	defer s.Close()
	for {
		e, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return h
		}
		if err != nil {
			h.err = err
			return h
		}
		switch e.Type {
		case "content-delta", "tool-plan-delta", "tool-call-start", "tool-call-delta":
			h.content++
		case "message-end":
			h.finished = true
			if d := e.MessageEnd.Delta; d != nil && d.FinishReason != nil {
				h.reason = string(*d.FinishReason)
				if *d.FinishReason == cohere.ChatFinishReasonError {
					h.err = fmt.Errorf("finish reason %s: %s", h.reason, aws.ToString(d.Error))
				}
			}
			return h // the SDK takes an end without data: [DONE], which is not documented, for an error
		}
	}
}

func TestCohere(t *testing.T) { agree(t, "cohere", nil, nil, cohereChat) }

func ollamaChat(t *testing.T, name string, a answer) (h heard) {
	base, err := url.Parse("http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(base, a.client())
	see := func(content string, done bool, reason string, m api.Metrics) {
		if content != "" {
			h.content++
		}
		h.last = done && content != ""
		if h.finished = h.finished || done; done {
			h.reason, h.input, h.output = reason, int64(m.PromptEvalCount), int64(m.EvalCount)
		}
	}
	if strings.HasPrefix(name, "generate") {
		h.err = client.Generate(t.Context(), &api.GenerateRequest{Model: "m"}, func(r api.GenerateResponse) error {
			see(r.Response+r.Thinking, r.Done, r.DoneReason, r.Metrics)
			return nil
		})
		return h
	}
	h.err = client.Chat(t.Context(), &api.ChatRequest{Model: "m"}, func(r api.ChatResponse) error {
		calls, err := json.Marshal(r.Message.ToolCalls)
		if err != nil {
			return err
		}
		text := r.Message.Content + r.Message.Thinking
		if len(r.Message.ToolCalls) > 0 {
			text += string(calls)
		}
		see(text, r.Done, r.DoneReason, r.Metrics)
		return nil
	})
	return h
}

func TestOllama(t *testing.T) {
	agree(t, "ollama", nil, odd{"keepalive": "an empty line is an error for the SDK"}, ollamaChat)
}

func bedrockConverse(t *testing.T, name string, a answer) (h heard) {
	client := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:9"), HTTPClient: a.client(),
		Credentials: credentials.NewStaticCredentialsProvider("none", "none", ""), RetryMaxAttempts: 1})
	if name == "invoke" || name == "nova" { // what the models of Titan and of Nova put into chunks
		out, err := client.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String("m"), Body: []byte("{}")})
		if err != nil {
			return heard{err: err}
		}
		s := out.GetStream()
		defer s.Close()
		for e := range s.Events() {
			chunk, ok := e.(*bedrock.ResponseStreamMemberChunk)
			if !ok {
				continue
			}
			var part struct {
				OutputText        string
				ContentBlockDelta *struct{}
				MessageStop       *struct{ StopReason string }
				Metrics           *struct {
					InputTokenCount, OutputTokenCount int64
				} `json:"amazon-bedrock-invocationMetrics"`
			}
			if err := json.Unmarshal(chunk.Value.Bytes, &part); err != nil {
				t.Fatal(err)
			}
			if part.OutputText != "" || part.ContentBlockDelta != nil {
				h.content++
			}
			if part.MessageStop != nil {
				h.reason = part.MessageStop.StopReason
			}
			if part.Metrics != nil {
				h.finished, h.input, h.output = true, part.Metrics.InputTokenCount, part.Metrics.OutputTokenCount
			}
		}
		h.err = s.Err()
		return h
	}
	out, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		return heard{err: err}
	}
	s := out.GetStream()
	defer s.Close()
	for e := range s.Events() {
		switch e := e.(type) {
		case *bedrock.ConverseStreamOutputMemberContentBlockDelta, *bedrock.ConverseStreamOutputMemberContentBlockStart:
			h.content++
		case *bedrock.ConverseStreamOutputMemberMessageStop:
			h.finished, h.reason = true, string(e.Value.StopReason)
		case *bedrock.ConverseStreamOutputMemberMetadata:
			if u := e.Value.Usage; u != nil {
				h.input, h.output = int64(aws.ToInt32(u.InputTokens)), int64(aws.ToInt32(u.OutputTokens))
			}
		}
	}
	h.err = s.Err()
	return h
}

func TestBedrock(t *testing.T) { agree(t, "bedrock-eventstream", nil, nil, bedrockConverse) }
