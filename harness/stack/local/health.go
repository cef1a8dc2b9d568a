package local

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// askLimit bounds one question to a part of the stack.
const askLimit = 2 * time.Second

// get fetches the start of a small page; its status must be 2xx. It keeps no
// connection, so that every question is a new one.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", url, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", url, err)
	}
	if res.StatusCode/100 != 2 {
		return "", fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return string(b), nil
}
