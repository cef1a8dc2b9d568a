package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Images of the stack's own parts, pinned. Where they cannot be pulled,
// docker/build.sh makes the same names.
const (
	NginxImage     = "nginx:1.22.1"
	ToxiproxyImage = "ghcr.io/shopify/toxiproxy:2.12.0"
	OriginImage    = "streamproof/origin:dev"
)

// pullLimit bounds one pull.
const pullLimit = 5 * time.Minute

// An ImageError is an image that is not to be had.
type ImageError struct {
	Image string
	Tried []string // what was tried, in order
	Ours  bool     // it is built with streamproof, and in no registry
}

func (e *ImageError) Error() string {
	return "get image " + e.Image + ": " + strings.Join(e.Tried, "; ")
}

// hasImage reports whether an image is on the daemon's machine.
func (d *daemon) hasImage(ctx context.Context, name string) (bool, error) {
	_, err := d.ImageInspect(ctx, name)
	switch {
	case err == nil:
		return true, nil
	case cerrdefs.IsNotFound(err):
		return false, nil
	}
	return false, fmt.Errorf("inspect image %s: %w", name, err)
}

// ensureImage pulls an image that is not here, once. testcontainers-go would
// pull too, but it retries for a quarter of an hour where no registry answers.
func (d *daemon) ensureImage(ctx context.Context, name string) error {
	if ok, err := d.hasImage(ctx, name); ok || err != nil {
		return err
	}
	tried := []string{"not on this machine"}
	if strings.HasPrefix(name, "streamproof/") {
		return &ImageError{Image: name, Tried: append(tried, "it is built by `make images`"), Ours: true}
	}
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	err := d.pull(ctx, name)
	if err == nil {
		return nil
	}
	tried = append(tried, "pull failed: "+oneLine(err.Error()))
	if name == NginxImage || name == ToxiproxyImage {
		tried = append(tried, "`make images` builds it without a registry")
	}
	return &ImageError{Image: name, Tried: tried}
}

func (d *daemon) pull(ctx context.Context, name string) error {
	progress, err := d.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer progress.Close()
	return drainProgress(progress)
}

// drainProgress reads the daemon's progress messages to the end: an error among
// them is the only sign of a failed pull or build.
func drainProgress(r io.Reader) error {
	for dec := json.NewDecoder(r); ; {
		var m struct{ Error string }
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if m.Error != "" {
			return errors.New(oneLine(m.Error))
		}
	}
}

// exposedPort is the port that an image declares, or 0 where it declares none or
// several.
func (d *daemon) exposedPort(ctx context.Context, name string) (int, error) {
	info, err := d.ImageInspect(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("inspect image %s: %w", name, err)
	}
	if info.Config == nil || len(info.Config.ExposedPorts) != 1 {
		return 0, nil
	}
	for p := range info.Config.ExposedPorts {
		var n int
		if _, err := fmt.Sscanf(p, "%d", &n); err == nil {
			return n, nil
		}
	}
	return 0, nil
}

// oneLine makes a daemon's message fit an error of one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
