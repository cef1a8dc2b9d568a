package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/reports"
)

// What a receiver checks that a notice is ours by: HMAC-SHA256 (RFC 2104) of the body, in
// hex behind "sha256=", as GitHub signs its webhooks. The key is the value of the variable;
// without it nothing is signed.
const (
	signatureHeader = "X-Streamproof-Signature-256"
	signatureSecret = "STREAMPROOF_NOTIFY_SECRET"
)

// notifyTime is how long the receiver may take. The verdict waits for it.
const notifyTime = 10 * time.Second

// receiver is the URL of a flag with its variables, or what is wrong with it.
func receiver(place, raw string, o harness.Options) (*url.URL, error) {
	full, missing := secret.Expand(raw)
	if missing != "" {
		return nil, &harness.UsageError{Place: place, Problem: "environment variable " + missing + " is not set",
			Fix: "export it, or take ${" + missing + "} out"}
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &harness.UsageError{Place: place, Problem: "no http or https URL",
			Fix: "write " + place + " https://HOST/PATH"}
	}
	if !o.Allows(u.Hostname()) {
		return nil, &harness.UsageError{Place: place, Problem: "host " + u.Hostname() + " is not this machine",
			Fix: "if results may go there, add --allow-host " + u.Hostname()}
	}
	return u, nil
}

// notify sends what a run came to. The URL may itself be a secret, so that errors name
// its host alone.
func notify(ctx context.Context, to *url.URL, n *reports.Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), notifyTime)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("no request could be made")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "streamproof")
	if key := os.Getenv(signatureSecret); key != "" {
		req.Header.Set(signatureHeader, signature(key, body))
	}
	// A redirect leads to a host that nobody allowed.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error // holds the URL
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return errors.New(harness.Reason(err))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // what it says back is of no use
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

func signature(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// jobLink is where CI shows the job that we are a step of, "" where nobody says.
func jobLink() string {
	if id := os.Getenv("GITHUB_RUN_ID"); id != "" && underActions() {
		return os.Getenv("GITHUB_SERVER_URL") + "/" + os.Getenv("GITHUB_REPOSITORY") + "/actions/runs/" + id
	}
	return os.Getenv("CI_JOB_URL") // GitLab
}
