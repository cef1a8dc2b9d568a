package stream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/streamproof/streamproof/harness/stream"
)

// mcpServer is a server of the protocol's own SDK with a tool that reports progress
// and one that fails.
func mcpServer(t *testing.T, options *mcp.StreamableHTTPOptions) *httptest.Server {
	t.Helper()
	s := mcp.NewServer(&mcp.Implementation{Name: "kiln", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "fire"}, func(ctx context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		for i := range 3 {
			p := &mcp.ProgressNotificationParams{ProgressToken: req.Params.GetProgressToken(), Progress: float64(i), Total: 3}
			_ = req.Session.NotifyProgress(ctx, p) // an answer in one document has no place for it
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "fired at 1,240 °C"}}}, nil, nil
	})
	mcp.AddTool(s, &mcp.Tool{Name: "crack"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return nil, nil, errors.New("the kiln went out")
	})
	server := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, options))
	t.Cleanup(server.Close)
	return server
}

// call asks a tool, and returns the answer's media type and body.
func call(t *testing.T, url, tool string) (media, body string) {
	t.Helper()
	dialect, _ := stream.Lookup("mcp")
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`","arguments":{},"_meta":{"progressToken":"p1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", dialect.Accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %s", tool, resp.StatusCode, err, text)
	}
	return resp.Header.Get("Content-Type"), string(text)
}

// quiet is a sink that reads and says nothing.
type quiet struct{ stream.Reader }

func (q quiet) Frame(f *stream.Frame) { q.Read(f) }

func summary(t *testing.T, dialect, body string) stream.Summary {
	t.Helper()
	d, _ := stream.Lookup(dialect)
	sink, decoder := quiet{d.New(stream.Ask{})}, d.Format.New(stream.Limits{})
	for i := range len(body) {
		if err := decoder.Push([]byte(body[i:i+1]), sink); err != nil {
			t.Fatal(err)
		}
	}
	return sink.Close(decoder.Close(sink))
}

// What a real MCP server answers is complete, failed, or, where it is cut, neither.
func TestRealMCPServer(t *testing.T) {
	for _, options := range []*mcp.StreamableHTTPOptions{{Stateless: true}, {Stateless: true, JSONResponse: true}} {
		server := mcpServer(t, options)
		media, body := call(t, server.URL, "fire")
		if s := summary(t, "mcp", body); s.State != stream.Complete || s.Errors > 0 {
			t.Errorf("%s: %+v\n%s", media, s, body)
		}
		if g := stream.Identify(media, []byte(body))[0]; g.Dialect != "mcp" || !g.Certain {
			t.Errorf("%s: taken for %+v\n%s", media, g, body)
		}
		end := strings.LastIndex(body, "}") // cut before it anywhere, nothing is proved
		for n := range end {
			if s := summary(t, "mcp", body[:n]); s.State == stream.Complete || s.State == stream.Corrupt || s.Errors > 0 {
				t.Fatalf("%s, cut at byte %d: %+v", media, n, s)
			}
		}
		for tool, text := range map[string]string{"crack": "the kiln went out", "melt": "melt"} {
			media, body := call(t, server.URL, tool)
			if s := summary(t, "mcp", body); s.Errors != 1 || s.State == stream.Complete || !strings.Contains(s.ErrorText, text) {
				t.Errorf("%s, %s: %+v\n%s", tool, media, s, body)
			}
		}
	}
}
