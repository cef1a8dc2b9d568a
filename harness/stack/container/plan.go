package container

import (
	"context"
	"fmt"
	"strconv"

	"github.com/streamproof/streamproof/harness/stack"
)

// A plan says what the app is made of.
type plan struct {
	what    string // for the report: "image acme/chat:ci"
	form    form   // of a replica, without its name
	port    int
	health  string
	helpers []dependency // what it depends on, started first
	needs   []need       // what must have happened to them before the app starts
	names   []string     // what a user's nginx.conf may call it
	volumes []volume     // what they share
}

// plan turns the app of a spec into a form. It pulls or builds what is needed.
func (d *daemon) plan(ctx context.Context, spec *stack.Spec, images Images) (p plan, err error) {
	app := &spec.App
	p = plan{port: app.Port, health: app.Health, names: []string{"app"}}
	switch {
	case app.Origin != nil:
		p.origin(app.Origin, images)
	case app.Image != "":
		p.what, p.form.image = "image "+app.Image, app.Image
	case app.Build != "":
		p.what = "image built from " + app.Build
		if p.form.image, err = d.build(ctx, recipe{folder: app.Build}); err != nil {
			return p, err
		}
	default:
		if err = d.compose(ctx, app.Compose, &p); err != nil {
			return p, err
		}
	}
	if err := d.ensureImage(ctx, p.form.image); err != nil {
		return p, err
	}
	if p.port == 0 {
		if p.port, err = d.exposedPort(ctx, p.form.image); err != nil {
			return p, err
		}
	}
	if p.port == 0 {
		p.port = defaultPort
	}
	p.limit(app)
	p.form.ports = []int{p.port}
	p.form.env = append([]string{"PORT=" + strconv.Itoa(p.port)}, append(p.form.env, app.Env...)...)
	return p, nil
}

func (p *plan) origin(o *stack.Origin, images Images) {
	if p.port == 0 {
		p.port = defaultPort
	}
	p.what, p.form.image = "origin", images.Origin
	p.form.cmd = append([]string{"--listen", "0.0.0.0:" + strconv.Itoa(p.port), "--workers",
		strconv.Itoa(max(o.Workers, 1))}, o.Args...)
}

// limit sets what the spec asks for over what a compose file said.
func (p *plan) limit(app *stack.App) {
	if app.Memory > 0 {
		p.form.memory = app.Memory
	}
	if app.CPUs > 0 {
		p.form.cpus = app.CPUs
	}
	if app.Pids > 0 {
		p.form.pids = app.Pids
	}
	if app.Shm > 0 {
		p.form.shm = app.Shm
	}
	if app.Dir != "" {
		p.form.dir = app.Dir
	}
}

// replica is the form of replica n, which is told that it is the n-th.
func (p *plan) replica(n int) form {
	f := p.form
	f.part = fmt.Sprintf("app[%d]", n)
	f.env = append([]string{"STREAMPROOF_REPLICA=" + strconv.Itoa(n)}, f.env...)
	f.aliases = []string{hostname(f.part)}
	return f
}
