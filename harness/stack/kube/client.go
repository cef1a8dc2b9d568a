package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport/spdy"

	"github.com/streamproof/streamproof/harness"
)

// askLimit bounds one question to the API server.
const askLimit = 10 * time.Second

// A client talks to the API server of a context, in one namespace.
type client struct {
	place     string // of what the user has written about it
	config    *rest.Config
	http      *http.Client
	base      *url.URL
	namespace string
}

// login reads the kubeconfig as kubectl does: $KUBECONFIG, else the user's own; inside of
// a cluster without one, the pod's account. Nothing is sent. An empty name of a context or
// of a namespace is that of the kubeconfig. place is where the user has written them.
func login(place, context, namespace string) (*client, error) {
	loading := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(),
		&clientcmd.ConfigOverrides{CurrentContext: context})
	config, err := loading.ClientConfig()
	if err != nil {
		return nil, &harness.UsageError{Place: place, Problem: "the kubeconfig does not lead to a cluster: " +
			oneLine(err.Error()), Fix: "name a context of it, as 'kubectl config get-contexts' lists them, or set KUBECONFIG"}
	}
	c := &client{place: place, config: config, namespace: namespace}
	if c.namespace == "" {
		if c.namespace, _, err = loading.Namespace(); err != nil {
			return nil, fmt.Errorf("find the namespace of the context: %w", err)
		}
	}
	if c.http, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("log in to Kubernetes: %w", err)
	}
	if c.base, _, err = rest.DefaultServerUrlFor(config); err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	return c, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// A refusal is the API server's answer where it is no success.
type refusal struct {
	Code    int
	Reason  string
	Message string
}

func (r *refusal) Error() string { return r.Message }

// refused reports whether err is an answer of the API server with that status.
func refused(err error, code int) bool {
	var r *refusal
	return errors.As(err, &r) && r.Code == code
}

// away reports whether err says that the API server gave no answer of its own.
func away(err error) bool {
	var r *refusal
	if errors.As(err, &r) {
		return r.Code == http.StatusBadGateway || r.Code == http.StatusServiceUnavailable ||
			r.Code == http.StatusGatewayTimeout
	}
	return err != nil && !errors.Is(err, context.Canceled)
}

// barred reports whether err says that the way to a pod does not stand, and nothing of the
// pod: the login has expired or may not any more, the API server has too much to do, or
// does not reach the pod's node.
func barred(err error) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	switch r.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return r.Code == http.StatusInternalServerError && strings.Contains(r.Message, "error dialing backend")
}

// in is the path of a resource of the namespace: "apps/v1", "deployments", "chat".
func (c *client) in(group string, parts ...string) string {
	path := "apis/" + group
	if group == "v1" {
		path = "api/v1"
	}
	if c.namespace != "" {
		path += "/namespaces/" + url.PathEscape(c.namespace)
	}
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

// url is that of a path with a query.
func (c *client) url(path string, query url.Values) string {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + path
	u.RawQuery = query.Encode()
	return u.String()
}

// do sends a request, and returns the answer with its body open. A status that is no
// success is a [*refusal].
func (c *client) do(ctx context.Context, method, path string, query url.Values, kind string, body any) (*http.Response,
	error) {
	var data io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		data = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url(path, query), data)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the caller names what was asked for
		}
		return nil, err
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, refusalOf(res)
}

// refusalOf reads an answer that is no success.
func refusalOf(res *http.Response) *refusal {
	var status struct{ Message, Reason string }
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16)) // a torn text is no better than none
	r := &refusal{Code: res.StatusCode, Message: res.Status}
	if json.Unmarshal(text, &status) == nil && status.Message != "" {
		r.Reason, r.Message = status.Reason, oneLine(status.Message)
	}
	return r
}

// ask sends a request and reads the object that is the answer.
func (c *client) ask(ctx context.Context, method, path, kind string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	res, err := c.do(ctx, method, path, nil, kind, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func (c *client) get(ctx context.Context, path string) (o object, err error) {
	err = c.ask(ctx, http.MethodGet, path, "", nil, &o)
	return o, err
}

// A list is one of objects, each kept as it came beside what we read of it.
type list struct {
	Metadata meta
	Items    []json.RawMessage
}

func (c *client) list(ctx context.Context, path string, query url.Values) (l list, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	res, err := c.do(ctx, http.MethodGet, path, query, "", nil)
	if err != nil {
		return l, err
	}
	defer res.Body.Close()
	return l, json.NewDecoder(res.Body).Decode(&l)
}

// patch changes members of an object.
func (c *client) patch(ctx context.Context, path string, change any) (o object, err error) {
	err = c.ask(ctx, http.MethodPatch, path, "application/merge-patch+json", change, &o)
	return o, err
}

// upgrade opens a connection of many streams to a subresource of a pod.
func (c *client) upgrade(ctx context.Context, path string, query url.Values, protocol string) (httpstream.Connection,
	error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(path, query), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(httpstream.HeaderProtocolVersion, protocol)
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		defer res.Body.Close()
		return nil, refusalOf(res)
	}
	return upgrader.NewConnection(res)
}

// objects are those of a list, as far as we read them.
func (c *client) objects(ctx context.Context, path string, query url.Values) ([]object, error) {
	l, err := c.list(ctx, path, query)
	if err != nil {
		return nil, err
	}
	all := make([]object, len(l.Items))
	for i, raw := range l.Items {
		if err := json.Unmarshal(raw, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A right is something that the login may do in the namespace, as a Role names it.
type right struct{ verb, group, resource, sub string }

func (r right) String() string { return r.verb + " " + strings.TrimSuffix(r.resource+"/"+r.sub, "/") }

// mayAll is the refusal of the first right that the login has not.
func (c *client) mayAll(ctx context.Context, all []right) error {
	for _, r := range all {
		ok, err := c.may(ctx, r)
		if err != nil {
			return c.said(err, c.place, "ask what may be done", "create selfsubjectaccessreviews")
		}
		if !ok {
			return c.forbidden(c.place, r.String())
		}
	}
	return nil
}

// may asks whether the login may do something in the namespace.
func (c *client) may(ctx context.Context, r right) (bool, error) {
	var answer struct{ Status struct{ Allowed bool } }
	err := c.ask(ctx, http.MethodPost, "apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "application/json",
		map[string]any{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
			"spec": map[string]any{"resourceAttributes": map[string]string{"namespace": c.namespace, "verb": r.verb,
				"group": r.group, "resource": r.resource, "subresource": r.sub}}}, &answer)
	return answer.Status.Allowed, err
}

// said turns an answer of the API server into one line for the user. place is what was
// asked about.
func (c *client) said(err error, place, what, right string) error {
	switch {
	case refused(err, http.StatusForbidden):
		return c.forbidden(place, right)
	case refused(err, http.StatusUnauthorized):
		return &harness.UsageError{Place: c.place + ".context", Problem: "the cluster does not accept the login of the " +
			"kubeconfig", Fix: "log in again, as for kubectl"}
	case refused(err, http.StatusNotFound):
		return &harness.UsageError{Place: place, Problem: err.Error() + " in namespace " + c.namespace,
			Fix: "correct the name, or set " + c.place + ".namespace"}
	case away(err):
		return &harness.UsageError{Place: c.place, Problem: "the API server at " + c.base.Host +
			" does not answer: " + harness.Reason(err), Fix: "start the cluster, or name another context"}
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (c *client) forbidden(place, right string) error {
	return &harness.UsageError{Place: place, Problem: "the login of the kubeconfig may not " + right + " in namespace " +
		c.namespace, Fix: "grant it by a Role, or use another context"}
}
