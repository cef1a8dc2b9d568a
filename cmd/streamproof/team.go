package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/reports/openmetrics"
	"github.com/streamproof/streamproof/scenarios"
)

// A team is what is told of a run to others: metrics, and a notice to a webhook.
type team struct {
	metrics, listen, notify, otlp string

	to, spans *url.URL // of notify and otlp, once checked
	fields    http.Header
	hide      func(string) string
	server    *http.Server
	live      *openmetrics.Live
}

func (t *team) register(fs *pflag.FlagSet) {
	t.registerMetrics(fs)
	fs.StringVar(&t.listen, "listen", "", "while the run lasts, serve its progress as metrics at `ADDRESS`/metrics, such "+
		"as 127.0.0.1:9464")
	fs.StringVar(&t.notify, "notify", "", "POST the result as JSON to `URL`, which may contain ${VARIABLES}; other hosts "+
		"need --allow-host")
	fs.StringVar(&t.otlp, "otlp", "", "send a traceparent with each request, and after the run a span for each stream to "+
		"the OpenTelemetry collector at `URL`, such as http://127.0.0.1:4318")
}

func (t *team) registerMetrics(fs *pflag.FlagSet) {
	fs.StringVar(&t.metrics, "metrics", "", "write the results as metrics into `FILE`, in the OpenMetrics format")
}

// check refuses what cannot be done, before anything starts.
func (t *team) check(o harness.Options) (err error) {
	if t.notify != "" {
		if t.to, err = receiver("--notify", t.notify, o); err != nil {
			return err
		}
	}
	if t.otlp != "" {
		if t.spans, err = receiver("--otlp", t.otlp, o); err != nil {
			return err
		}
		t.spans = t.spans.JoinPath("v1", "traces") // OTLP/HTTP: a base URL gets the path of its signal
		if t.fields, err = otlpFields(); err != nil {
			return err
		}
	}
	t.hide = secret.Of(o.App.Stream.Headers, o.App.Stream.Body, o.App.URL, o.App.Direct, o.App.Stream.Path,
		o.App.Stream.PlainPath).Hide
	return t.checkMetrics()
}

func (t *team) checkMetrics() error {
	if t.metrics == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(t.metrics), ".streamproof-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if info, e := os.Stat(t.metrics); err == nil && e == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err != nil {
		return &harness.UsageError{Place: "--metrics", Problem: "cannot write " + t.metrics + ": " + harness.Reason(err),
			Fix: "name a file in a folder that can be written"}
	}
	return nil
}

// serve begins to serve the progress of a run, of which watch takes a copy.
func (t *team) serve(stderr io.Writer) error {
	if t.listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", t.listen)
	if err != nil {
		return &harness.UsageError{Place: "--listen", Problem: "cannot listen at " + t.listen + ": " + harness.Reason(err),
			Fix: "write a free address of this machine, such as 127.0.0.1:9464"}
	}
	t.live = &openmetrics.Live{}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", openmetrics.Handler(t.live))
	t.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(l) }() // ends when close does, and has nothing else to say
	fmt.Fprintf(stderr, "metrics: http://%s/metrics\n", l.Addr())
	return nil
}

// watch passes progress on, and keeps it where it is served.
func (t *team) watch(pass func(harness.Progress)) func(harness.Progress) {
	if t.live == nil {
		return pass
	}
	return func(p harness.Progress) {
		t.live.Update(p)
		pass(p)
	}
}

// close ends the serving.
func (t *team) close() {
	if t.server != nil {
		_ = t.server.Close()
	}
}

// tell writes the metrics of the run in dir and sends the notice. A notice that does not
// arrive is a warning: it says nothing of the app.
func (t *team) tell(ctx context.Context, w, stderr io.Writer, dir string) error {
	if err := t.export(ctx, w, stderr, dir); err != nil || t.metrics == "" && t.to == nil {
		return err
	}
	m := openmetrics.NewRun()
	in, err := scenarios.Read(dir, m.Add)
	if err != nil {
		return err
	}
	if t.metrics != "" {
		m.Judged(in.Run, in.Report)
		if err := reports.WriteFile(t.metrics, func(w io.Writer) error { return openmetrics.Write(w, m) }); err != nil {
			return fmt.Errorf("write %s: %w", t.metrics, err)
		}
		fmt.Fprintln(w, "metrics: "+t.metrics)
	}
	if t.to == nil {
		return nil
	}
	n := reports.NoticeOf(in, jobLink())
	n.Hide(t.hide)
	if err := notify(ctx, t.to, n); err != nil {
		fmt.Fprintf(stderr, "warning: --notify: %s was not told: %s\n", t.to.Host, plain(err.Error()))
		return nil
	}
	fmt.Fprintln(w, "notified: "+t.to.Host)
	return nil
}
