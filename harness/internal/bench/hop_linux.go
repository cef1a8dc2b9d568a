package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/streamproof/streamproof/harness/relay"
)

// relayPart relays to a target until its standard input ends. It says its address
// first, as toxiproxyPart does.
func relayPart(args []string, stdout io.Writer) error {
	target, err := targetOf(args)
	if err != nil {
		return err
	}
	r, err := relay.Start(relay.Options{Name: "bench", Listen: "127.0.0.1:0", Target: target})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, r.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, r.Close())
}

// toxiproxyPart is toxiproxy without toxics.
func toxiproxyPart(args []string, stdout io.Writer) error {
	target, err := targetOf(args)
	if err != nil {
		return err
	}
	s := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(s, "bench", "127.0.0.1:0", target)
	if err := p.Start(); err != nil {
		return err
	}
	fmt.Fprintln(stdout, p.Listen)
	_, err = io.Copy(io.Discard, os.Stdin)
	p.Stop()
	return err
}

func targetOf(args []string) (target string, err error) {
	flags := flag.NewFlagSet("hop", flag.ContinueOnError)
	flags.StringVar(&target, "target", "", "host:port")
	return target, flags.Parse(args)
}

// throughHop lets the bare reader read through a hop, and returns what the hop
// needed.
func (a arm) throughHop(ctx context.Context, s *server, l load) (o observed, k cost, err error) {
	hop := part(ctx, a.hop, "-target", s.addr)
	in, err := hop.StdinPipe()
	if err != nil {
		return o, k, err
	}
	says, said := io.Pipe()
	ended := make(chan error, 1)
	go func() { // awaited below
		var err error
		k, err = meter(hop, said)
		said.Close()
		ended <- err
	}()
	var addr string
	if _, err = fmt.Fscanln(says, &addr); err == nil {
		o, _, err = bare(ctx, "floor", addr, l)
	}
	in.Close()
	return o, k, errors.Join(err, <-ended)
}

// bare runs one of our own readers to its end.
func bare(ctx context.Context, name, addr string, l load) (o observed, k cost, err error) {
	out, k, err := output(reader(ctx, name, addr, l))
	if err != nil {
		return o, k, err
	}
	var c counted
	err = json.Unmarshal(out, &c)
	return observed{whole: c.Whole, first: c.First}, k, err
}
