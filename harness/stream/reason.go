package stream

import "bytes"

// Why an answer ended stands beside its end: finish_reason, stop_reason,
// done_reason, finishReason. Most reasons are ends as they should be, short ones
// among them; a few say that the server gave the answer up, and then a sentinel
// of success behind it proves nothing.
//
// Ends as they should be, by the APIs' own documentation:
//
//	OpenAI     stop length tool_calls function_call content_filter
//	Anthropic  end_turn max_tokens stop_sequence tool_use pause_turn refusal
//	           model_context_window_exceeded
//	Gemini     STOP MAX_TOKENS SAFETY RECITATION LANGUAGE BLOCKLIST SPII
//	           PROHIBITED_CONTENT IMAGE_SAFETY OTHER
//	Ollama     stop length load unload
//	Cohere     COMPLETE MAX_TOKENS STOP_SEQUENCE TOOL_CALL
//	TGI        eos_token stop_sequence length
//
// A filter or a refusal is an answer: the policy of the service, said in the way
// that its API has for it.

// failingReasons are the reasons that say that the server gave up, in lower case.
// A reason in none of the lists is an end, unless its words say otherwise.
var failingReasons = []string{
	"abort",                        // vLLM, SGLang: the request was aborted
	"error",                        // vLLM, OpenRouter, Mistral, Cohere
	"timeout",                      // Cohere
	"insufficient_system_resource", // DeepSeek: interrupted for want of resources
	"malformed_function_call",      // Gemini: the model's call does not parse
	"malformed_response",           // Gemini
	"too_many_tool_calls",          // Gemini
	"user_cancel",                  // Cohere
}

// failingReason reports whether a reason says that the server gave up.
func failingReason(reason []byte) bool {
	if len(reason) == 0 || len(reason) > 64 {
		return false
	}
	for _, r := range failingReasons {
		if bytes.EqualFold(reason, []byte(r)) {
			return true
		}
	}
	return failingName(reason)
}

// failingWords are words that name a failure where they end a name, or are all of
// it: response.failed, run_error, workflowFailed.
var failingWords = []string{"failed", "failure", "error", "errored", "exception", "abort", "aborted",
	"cancel", "canceled", "cancelled", "timeout", "timed_out", "expired", "crashed"}

// failingName reports whether the name of an event, or of a type, names a
// failure. It does not allocate.
func failingName(name []byte) bool {
	for _, w := range failingWords {
		n := len(name) - len(w)
		if n < 0 || !bytes.EqualFold(name[n:], []byte(w)) {
			continue
		}
		if n == 0 || !isLetter(name[n-1]) || name[n] < 'a' && name[n-1] >= 'a' {
			return true // a word of its own: behind a sign, or in camelCase
		}
	}
	return false
}

// FailingName reports whether the name of an event names a failure, as "error"
// and "response.failed" do. Such a name is no proof of a complete response.
func FailingName(name string) bool { return failingName([]byte(name)) }

// heartbeatNames are the names, and JSON types, of events that only say that the
// connection lives.
var heartbeatNames = []string{"ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"}

func heartbeatName(name []byte) bool {
	if len(name) < 4 || len(name) > 10 {
		return false
	}
	for _, n := range heartbeatNames {
		if bytes.EqualFold(name, []byte(n)) {
			return true
		}
	}
	return false
}

// idle reports whether an event is a heartbeat in every dialect: it is named so,
// or unnamed and without data. An empty JSON string counts as no data.
func idle(f *Frame) bool {
	if len(f.Name) > 0 {
		return heartbeatName(f.Name)
	}
	if len(f.Data) > 16 {
		return false
	}
	d := bytes.TrimSpace(f.Data)
	return len(d) == 0 || string(d) == `""`
}
