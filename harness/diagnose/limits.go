package diagnose

import (
	"math"
	"time"
)

// A limit is one that some platform or server is known to set. A number that was
// met proves nothing: it is a hint where to look, and never more.
type limit struct {
	kind   limitKind
	value  float64 // seconds or bytes
	whose  string
	source string // where the number is from
}

type limitKind int

const (
	limitIdle  limitKind = iota // between two bytes
	limitTotal                  // of a whole response
	limitSize                   // of its body
)

// limits are the numbers that are documented, in the order of their values.
var limits = []limit{
	{limitIdle, 50, "timeout server of HAProxy as Debian sets it", "Debian haproxy.cfg"},
	{limitIdle, 55, "the Heroku router", "Heroku: request timeout"},
	{limitIdle, 60, "nginx (proxy_read_timeout), AWS ALB, Apache, Varnish and Kong", "their reference manuals"},
	{limitIdle, 100, "Cloudflare", "Cloudflare: error 524"},
	{limitIdle, 120, "Cloudflare", "Cloudflare: connection limits"},
	{limitIdle, 230, "Azure App Service on Windows", "Microsoft: App Service FAQ"},
	{limitIdle, 240, "Azure load balancers", "Microsoft: TCP idle timeout"},
	{limitIdle, 300, "Envoy (stream_idle_timeout) and Apache as Debian sets it", "Envoy: how do I configure timeouts"},
	{limitIdle, 350, "AWS NLB and NAT gateways", "AWS: Network Load Balancers"},

	{limitTotal, 10, "serverless functions of small plans (Vercel, Netlify)", "Vercel: maximum duration"},
	{limitTotal, 15, "Envoy's route timeout", "Envoy: how do I configure timeouts"},
	{limitTotal, 26, "Netlify functions", "Netlify: function limits"},
	{limitTotal, 29, "AWS API Gateway", "AWS: API Gateway quotas"},
	{limitTotal, 30, "gunicorn's sync worker, Heroku's first byte and Google Cloud backend services",
		"gunicorn: settings; Google Cloud: backend service timeout"},
	{limitTotal, 60, "serverless functions (Vercel, Google Cloud Functions)", "Vercel: maximum duration"},
	{limitTotal, 230, "Azure Functions over HTTP", "Microsoft: Azure Functions hosting"},
	{limitTotal, 300, "Cloud Run, and Vercel with fluid compute", "Google Cloud: request timeout"},
	{limitTotal, 600, "Varnish (send_timeout) and the OpenAI client", "varnishd: parameters; openai-python: timeouts"},
	{limitTotal, 900, "AWS Lambda", "AWS: Lambda quotas"},
	{limitTotal, 3600, "Cloud Run at most", "Google Cloud: request timeout"},

	{limitSize, 64 << 10, "a reader of lines in Go (bufio.Scanner)", "Go: package bufio"},
	{limitSize, 512 << 10, "ModSecurity (SecResponseBodyLimit)", "ModSecurity: reference manual"},
	{limitSize, 1e6, "a Lambda target of an AWS ALB", "AWS: Lambda functions as targets"},
	{limitSize, 1 << 20, "Envoy's buffer (per_connection_buffer_limit_bytes) and Lambda behind an AWS ALB",
		"Envoy: listener"},
	{limitSize, 4.5e6, "Vercel functions", "Vercel: function limits"},
	{limitSize, 6 << 20, "AWS Lambda, buffered", "AWS: Lambda quotas"},
	{limitSize, 10 << 20, "AWS API Gateway", "AWS: API Gateway quotas"},
	{limitSize, 32 << 20, "Cloud Run over HTTP/1", "Google Cloud: quotas"},
}

// known hints at who sets a limit that was met; it is empty where the number is
// nobody's. Timers fire up to a second late where they are polled.
func known(kind limitKind, value float64) fact {
	for _, l := range limits {
		over := value - l.value
		late := 1.1
		if kind == limitSize {
			late = 0.01 * l.value
		}
		if l.kind == kind && over >= -0.01*l.value && over <= late {
			return l.fact()
		}
	}
	return fact{}
}

func (l limit) fact() fact {
	f := fact{Kind: FactKnownLimit, Name: l.whose, Place: l.source}
	if l.kind == limitSize {
		f.Bytes = int64(l.value)
	} else {
		f.Took = time.Duration(l.value) * time.Second
	}
	return f
}

// round reports whether a number of bytes is one that somebody chose: a multiple
// of 4 KiB or of a tenth of a million.
func round(bytes float64) bool {
	for _, unit := range []float64{4 << 10, 1e5} {
		if n := math.Round(bytes / unit); n >= 1 && math.Abs(bytes-n*unit) <= 1 {
			return true
		}
	}
	return false
}
