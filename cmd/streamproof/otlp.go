package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports/otlp"
)

// otlpHeaders is the variable with the header fields that a collector wants, as
// OpenTelemetry defines it: "name=value,name=value", values escaped as in a URL.
const otlpHeaders = "OTEL_EXPORTER_OTLP_HEADERS"

func otlpFields() (http.Header, error) {
	all := http.Header{}
	for pair := range strings.SplitSeq(os.Getenv(otlpHeaders), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil { // the value may be a secret
			return nil, &harness.UsageError{Place: otlpHeaders, Problem: "a part has no name and value",
				Fix: "write name=value,name=value"}
		}
		all.Set(name, value)
	}
	return all, nil
}

// export sends the spans of the run in dir. A collector that does not take them is a
// warning: it says nothing of the app.
func (t *team) export(ctx context.Context, w, stderr io.Writer, dir string) error {
	if t.spans == nil {
		return nil
	}
	parts, err := record.OpenParts(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	defer parts.Close()
	x := otlp.New(t.spans.String(), t.fields, parts.Run)
	for p, err := range parts.All() {
		if err != nil {
			_, _ = x.Close(context.WithoutCancel(ctx)) // the record is the trouble
			return fmt.Errorf("read record: %w", err)
		}
		x.Add(verdict.ScopesOf(p))
	}
	n, err := x.Close(context.WithoutCancel(ctx))
	var lost *otlp.Error
	if errors.As(err, &lost) && lost.Lost == 0 {
		fmt.Fprintf(stderr, "warning: --otlp: %s took all spans and says: %s\n", t.spans.Host,
			plain(harness.Reason(lost.Cause)))
		err = nil
	} else if errors.As(err, &lost) {
		fmt.Fprintf(stderr, "warning: --otlp: %s did not take %d of %d spans: %s\n", t.spans.Host, lost.Lost,
			lost.Lost+lost.Sent, plain(harness.Reason(lost.Cause)))
		return nil
	}
	if err == nil {
		fmt.Fprintf(w, "spans: %d to %s\n", n, t.spans.Host)
	}
	return err
}
