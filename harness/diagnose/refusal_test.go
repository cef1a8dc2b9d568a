package diagnose

import (
	"strings"
	"testing"
)

// Each refusal names the flag that mends it.
func TestRefusalsNameTheirFlag(t *testing.T) {
	for _, tt := range []struct {
		r    Refusal
		want string
	}{
		{Refusal{Status: 401}, "--header 'Authorization: Bearer ${API_KEY}'"},
		{Refusal{Status: 401, Asks: `Basic realm="chat"`}, "'Authorization: Basic ${BASIC}', after: export BASIC="},
		{Refusal{Status: 401, Asks: `Basic realm="chat", Bearer`}, "--header 'Authorization: Bearer ${API_KEY}'"},
		{Refusal{Status: 401, Asks: "Digest"}, "--header 'Authorization: Bearer ${API_KEY}'"},
		{Refusal{Status: 400, Words: "Client sent an HTTP request to an HTTPS server."}, "write https:// in the URL"},
		{Refusal{Status: 400, Words: "<h1>400</h1>The plain HTTP request was sent to HTTPS port"}, "write https:// in the URL"},
		{Refusal{Status: 400, Words: "HTTPS only by contract"}, "send the body"},
		{Refusal{Status: 401, Words: "missing x-api-key"}, "--header 'X-Api-Key: ${API_KEY}'"},
		{Refusal{Status: 401, Words: "missing x-api-key", Sent: []string{"X-API-Key"}}, "was not accepted"},
		{Refusal{Status: 403, Sent: []string{"authorization"}}, "were not accepted"},
		{Refusal{Status: 404, Method: "GET", Path: "/caht"}, "--path /PATH"},
		{Refusal{Status: 404, Method: "GET", Path: "/models/x", Words: "no such model"}, "--path /PATH"},
		{Refusal{Status: 404, Method: "POST", Body: true, Words: `{"error":"model 'x' not found"}`}, "name a model"},
		{Refusal{Status: 405, Method: "GET", Allow: "POST"}, `--method POST --body '{"q": "hi"}'`},
		{Refusal{Status: 405, Method: "GET", Allow: "POST", Path: "/v1/chat/completions?a=b"},
			`--method POST --body '{"model": "MODEL", "stream": true, "messages": [`},
		{Refusal{Status: 405, Method: "GET", Path: "/api/generate"}, `--method POST --body '{"model": "MODEL", "stream": true, "prompt"`},
		{Refusal{Status: 422, Path: "/v1/messages"}, `"content": "hi"}]}' --header 'anthropic-version: 2023-06-01'`},
		{Refusal{Status: 415, Path: "/v1beta/models/x:streamGenerateContent"}, `--body '{"contents": [`},
		{Refusal{Status: 405, Method: "POST", Body: true, Allow: "GET, POST"}, "--method GET"},
		{Refusal{Status: 405, Method: "GET", Allow: "HEAD, OPTIONS, PUT"}, "--method PUT"},
		{Refusal{Status: 405, Method: "POST"}, "--method GET"},
		{Refusal{Status: 406}, "--header 'Accept: "},
		{Refusal{Status: 413, Body: true}, "client_max_body_size"},
		{Refusal{Status: 415, Body: true}, "--header 'Content-Type: application/json'"},
		{Refusal{Status: 415}, "--body"},
		{Refusal{Status: 422, Body: true}, "--body @FILE"},
		{Refusal{Status: 422}, "--path"},
		{Refusal{Status: 429}, "--rate"},
		{Refusal{Status: 418}, "--header"},
	} {
		if got := tt.r.Mend(); !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q lacks %q", tt.r, got, tt.want)
		}
	}
	if got := (Refusal{Words: "{\n  \"detail\": \"no\"\n}"}).Said(); got != `{ "detail": "no" }` {
		t.Errorf("said %q", got)
	}
}
