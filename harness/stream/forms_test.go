package stream

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// forms are what each dialect has a conversation of, by what tells it from the others.
var forms = []struct {
	name string
	is   func(*conversation) bool
}{
	{"complete", func(c *conversation) bool { return c.name == "complete" && c.state == Complete }},
	{"error before content", func(c *conversation) bool { return c.failed && c.first == 0 }},
	{"error after content", func(c *conversation) bool { return c.failed && c.first > 0 }},
	{"tool call", func(c *conversation) bool { return c.state == Complete && c.parts[1] > 0 }},
	{"reasoning apart", func(c *conversation) bool { return c.state == Complete && c.parts[0] > 0 }},
	{"usage", func(c *conversation) bool { return c.state == Complete && c.usage != Usage{} }},
	{"usage after the rest", func(c *conversation) bool {
		return c.name == "usage" && c.state == Complete && c.usage.Output > 0
	}},
	{"keep-alive", func(c *conversation) bool { return c.state == Complete && strings.Contains(c.kinds, "h") }},
	{"refusal", func(c *conversation) bool {
		return c.parts[2] > 0 || slices.Contains([]string{"refusal", "content_filter", "PROHIBITED_CONTENT", "SAFETY", "guardrail_intervened"}, c.reason)
	}},
	{"several choices", func(c *conversation) bool { return c.name == "choices" && c.state == Complete }},
}

// none says why a dialect has no conversation of a form.
var none = map[string]map[string]string{
	"openai-responses":   {"several choices": "the Responses API gives one answer"},
	"anthropic-messages": {"several choices": "the Messages API gives one answer"},
	"mistral":            {"refusal": "the API has no way to say it: its finish reasons are stop, length, model_length, error and tool_calls"},
	"vllm":               {"refusal": "the server has no filter of its own"},
	"cohere": {
		"refusal":         "the API has no way to say it: an answer that it withholds is the error ERROR_TOXIC",
		"several choices": "the API gives one answer",
	},
	"bedrock-eventstream": {
		"keep-alive":      "the service sends no event that only keeps the connection open",
		"several choices": "the API gives one answer",
	},
	"ollama": {
		"refusal":         "the server has no filter of its own",
		"several choices": "the API gives one answer",
	},
	"vercel-ui": {
		"refusal":              "it stands in the finish reason of the last part, as content-filter",
		"several choices":      "the protocol carries one message",
		"usage after the rest": "servers put it into messageMetadata, in what form they like",
	},
	"ag-ui": {
		"refusal":         "the protocol has no way to say it",
		"several choices": "the protocol has runs one after the other: conversation runs",
	},
	"langserve": {
		"reasoning apart": "chunks are what the chain makes: reasoning stands in additional_kwargs of some models only",
		"refusal":         "chunks are what the chain makes",
		"several choices": "a chain gives one answer",
	},
	"mcp": {
		"error after content":  "the result is the only content, and the last event",
		"tool call":            "the request is the tool call",
		"reasoning apart":      "the protocol has none",
		"usage":                "the protocol has none",
		"usage after the rest": "the protocol has none",
		"refusal":              "the protocol has none",
		"several choices":      "a request has one result",
	},
	"sse-generic":     generics,
	"ndjson-generic":  generics,
	"text":            texts,
	"llamaindex-text": texts,
}

var generics = map[string]string{
	"tool call": "nothing is known of what events mean", "reasoning apart": "nothing is known of what events mean",
	"usage": "nothing is known of what events mean", "usage after the rest": "nothing is known of what events mean",
	"refusal": "nothing is known of what events mean", "several choices": "nothing is known of what events mean",
}

var texts = map[string]string{
	"error before content": "a text has no events", "error after content": "a text has no events", "tool call": "a text has no events",
	"reasoning apart": "a text has no events", "usage": "a text has no events", "usage after the rest": "a text has no events",
	"keep-alive": "a text has no events", "refusal": "a text has no events", "several choices": "a text has no events",
}

// Each dialect has a conversation of each form, or a reason why the protocol has none.
// Cuts are those of [TestCutConversations]: every complete one, at each byte.
func TestForms(t *testing.T) {
	byDialect, names := map[string][]conversation{}, map[string]bool{}
	for _, form := range forms {
		names[form.name] = true
	}
	for _, c := range conversations(t) {
		byDialect[c.dialect] = append(byDialect[c.dialect], c)
	}
	for _, dialect := range order {
		covered := 0
		for _, form := range forms {
			has := slices.ContainsFunc(byDialect[dialect], func(c conversation) bool { return form.is(&c) })
			why := none[dialect][form.name]
			switch {
			case has && why != "":
				t.Errorf("%s has a conversation of %q, and a reason why it has none: %s", dialect, form.name, why)
			case !has && why == "":
				t.Errorf("%s has no conversation of %q", dialect, form.name)
			case has:
				covered++
			}
		}
		t.Logf("%-20s %2d of %d forms, %d conversations", dialect, covered, len(forms), len(byDialect[dialect]))
	}
	for _, dialect := range slices.Sorted(maps.Keys(none)) {
		if _, ok := Lookup(dialect); !ok {
			t.Errorf("no dialect %s", dialect)
		}
		for form := range none[dialect] {
			if !names[form] {
				t.Errorf("%s: no form %q", dialect, form)
			}
		}
	}
}
