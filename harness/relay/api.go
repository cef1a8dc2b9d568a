package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/streamproof/streamproof/harness/stack"
)

// bodyLimit bounds a request or an answer of the control API, in bytes.
const bodyLimit = 16 << 20

// Handler is the control API of a relay that runs on its own:
//
//	POST /strikes  a JSON array of [stack.Strike], times in ns: 204, or 400 and why
//	GET  /ledger   a JSON array of [stack.Struck]
//	GET  /healthz  200
func Handler(r *Relay) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /strikes", func(w http.ResponseWriter, req *http.Request) {
		var strikes []stack.Strike
		decoder := json.NewDecoder(http.MaxBytesReader(w, req.Body, bodyLimit))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&strikes)
		if err == nil {
			err = r.Arm(req.Context(), strikes...)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		lines, _ := r.Ledger(req.Context())
		json.NewEncoder(w).Encode(lines)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	return mux
}

// A Client strikes through the control API of a relay that runs elsewhere. The
// times in its ledger are that relay's own.
type Client struct {
	URL  string       // "http://127.0.0.1:8475"
	HTTP *http.Client // nil means http.DefaultClient
}

var _ stack.Striker = Client{}

// Arm implements [stack.Striker].
func (c Client) Arm(ctx context.Context, strikes ...stack.Strike) error {
	b, err := json.Marshal(strikes)
	if err != nil {
		return fmt.Errorf("encode strikes: %w", err)
	}
	_, err = c.call(ctx, http.MethodPost, "/strikes", b)
	return err
}

// Ledger implements [stack.Striker].
func (c Client) Ledger(ctx context.Context) (lines []stack.Struck, err error) {
	b, err := c.call(ctx, http.MethodGet, "/ledger", nil)
	if err == nil {
		err = json.Unmarshal(b, &lines)
	}
	return lines, err
}

func (c Client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask relay: %w", err)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask relay: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return nil, fmt.Errorf("ask relay: read answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("ask relay: %s: %s", res.Status, bytes.TrimSpace(b))
	}
	return b, nil
}
