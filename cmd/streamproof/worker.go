package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/scenarios"
)

// workerCommand is a load worker for a parent that has a connection to it. 'run
// --load-workers' starts its own, and 'run --fleet' pods that listen.
func workerCommand() *cobra.Command {
	var listen string
	var wait time.Duration
	c := &cobra.Command{
		Use:    "worker",
		Short:  "Send a share of another streamproof's load, as it says on standard input",
		Hidden: true,
		Args:   takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if listen != "" {
				return scenarios.ListenAsLoadWorker(cmd.Context(), listen, wait)
			}
			return scenarios.ServeLoadWorker(cmd.Context(), closing{cmd.InOrStdin(), nil}, closing{nil, cmd.OutOrStdout()})
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "wait for the other one at `HOST:PORT` instead")
	c.Flags().DurationVar(&wait, "wait", 5*time.Minute, "with --listen: how long to wait for it")
	return c
}

// closing closes a standard stream where it can be closed.
type closing struct {
	io.Reader
	io.Writer
}

// Close implements [io.Closer].
func (c closing) Close() error {
	for _, x := range []any{c.Reader, c.Writer} {
		if x, ok := x.(io.Closer); ok {
			return x.Close()
		}
	}
	return nil
}
