package container

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// ryukImage is the one that testcontainers-go 0.45 starts beside our containers,
// to remove them when we are gone. Its name is fixed in that release.
const ryukImage = "testcontainers/ryuk:0.14.0"

// ryukSwitch is read by testcontainers-go; only the literal "true" disables.
const ryukSwitch = "TESTCONTAINERS_RYUK_DISABLED"

// pingLimit bounds the first word with the daemon.
const pingLimit = 5 * time.Second

// An Absent says that there is no Docker to work with.
type Absent struct{ Cause error }

func (e *Absent) Error() string { return "reach docker: " + oneLine(e.Cause.Error()) }
func (e *Absent) Unwrap() error { return e.Cause }

// A daemon is our connection to Docker.
type daemon struct {
	*testcontainers.DockerClient
	version  string // of the engine
	os, arch string // that it runs on: "linux", "amd64"
	ryuk     string // what becomes of Ryuk
}

// connect finds the daemon. The error is an [*Absent].
func connect(ctx context.Context, opts ...client.Opt) (*daemon, error) {
	quiet()
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	ryuk := settleRyuk(ctx)
	c, err := testcontainers.NewDockerClientWithOpts(ctx, opts...)
	if err != nil {
		return nil, &Absent{err}
	}
	v, err := c.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, &Absent{errors.Join(err, c.Close())}
	}
	return &daemon{DockerClient: c, version: v.Version, os: v.Os, arch: v.Arch, ryuk: ryuk}, nil
}

// Available says whether Docker answers. The error is an [*Absent].
func Available(ctx context.Context) error {
	d, err := connect(ctx)
	if err != nil {
		return err
	}
	return d.Close()
}

// quiet keeps testcontainers-go from writing to standard error: what we have to
// say goes through events, logs and errors.
var quiet = sync.OnceFunc(func() { tclog.SetDefault(tclog.NewNoopLogger()) })

// ryukOnce makes the decision once: testcontainers-go reads the environment with
// its first client and never again.
var ryukOnce struct {
	sync.Mutex
	text string
}

// settleRyuk disables Ryuk where its image is not at hand. Without it our own
// sweep at the next start does its work, see [Sweep]. We do not pull it: that
// would make every first run wait for a helper that we can do without.
func settleRyuk(ctx context.Context) string {
	ryukOnce.Lock()
	defer ryukOnce.Unlock()
	if ryukOnce.text == "" {
		ryukOnce.text = decideRyuk(ctx)
	}
	return ryukOnce.text
}

func decideRyuk(ctx context.Context) string {
	if os.Getenv(ryukSwitch) == "true" {
		return "disabled by " + ryukSwitch
	}
	// A client of our own: asking through testcontainers-go's would be too late.
	c, err := client.New(client.FromEnv)
	if err != nil {
		return "left to testcontainers-go"
	}
	defer c.Close()
	_, err = c.ImageInspect(ctx, ryukImage)
	switch {
	case err == nil:
		return ryukImage
	case !cerrdefs.IsNotFound(err):
		return "left to testcontainers-go"
	}
	os.Setenv(ryukSwitch, "true")
	return "disabled: image " + ryukImage + " is not here"
}
