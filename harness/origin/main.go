package origin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// Exit codes of [Main].
const (
	exitOK    = 0
	exitCut   = 1 // the grace ran out, or a worker had to be killed
	exitError = 3
	exitUsage = 64 // EX_USAGE of sysexits.h
)

// A config is the command line.
type config struct {
	Options
	listen    string
	readyFile string
	grace     time.Duration
	workers   int
	ballast   int64
}

// Main runs the origin until ctx ends or the process gets SIGTERM or an
// interrupt, drains, and returns the exit code. Log lines go to stdout, usage
// errors to stderr. args are those behind the command's name.
//
// With several workers it starts further copies of this process with the
// process's own arguments, so args must be the last of them.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "origin: %v\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.Log = stdout
	ballast := fill(c.ballast)
	defer func() { _ = ballast[0] }() // it is held to the end
	code, err := c.run(ctx, args)
	if err != nil {
		newLog(stdout).Error(err.Error())
	}
	return code
}

func parse(args []string, stderr io.Writer) (*config, error) {
	c := &config{Options: Options{Answer: DefaultAnswer}}
	fs := flag.NewFlagSet("origin", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.Answer.flags(fs)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8080", "address; port 0 chooses one")
	fs.StringVar(&c.readyFile, "ready-file", "", "file to write the address to, once it is listened on")
	fs.DurationVar(&c.grace, "grace", 10*time.Second, "how long streams in flight may go on after SIGTERM")
	fs.IntVar(&c.workers, "workers", 1, "processes that serve; above 1 a master watches over them")
	fs.Int64Var(&c.ballast, "ballast", 0, "bytes of memory to hold, in each worker")
	fs.Float64Var(&c.Share, "sabotage-share", 0, "part of the streams to strike, chosen by nonce, 0 to 1; 0 means the "+
		"sabotage's own")
	c.Conduct.flags(fs)
	fs.IntVar(&c.From, "sabotage-from", 0, "spare the replicas before this one, as counted by $"+ReplicaEnv)
	fs.BoolVar(&c.LogEvents, "log-events", false, "log every event")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case fs.NArg() > 0:
		return nil, fmt.Errorf("read arguments: unexpected %q", fs.Arg(0))
	case c.workers < 1 || c.workers > maxWorkers:
		return nil, fmt.Errorf("read --workers: %d is not 1 to %d", c.workers, maxWorkers)
	case c.Share < 0 || c.Share > 1:
		return nil, fmt.Errorf("read --sabotage-share: %v is not 0 to 1", c.Share)
	case c.ballast < 0 || c.grace < 0:
		return nil, errors.New("read arguments: --ballast and --grace must not be negative")
	}
	return c, errors.Join(c.Answer.check(), c.Conduct.check())
}

// run serves in this process, or as master or worker of several.
func (c *config) run(ctx context.Context, args []string) (int, error) {
	if n, ok := workerNumber(); ok {
		return c.work(ctx, n)
	}
	ln, err := net.Listen("tcp", c.listen)
	if err != nil {
		return exitError, fmt.Errorf("listen on %s: %w", c.listen, err)
	}
	defer ln.Close() // Shutdown has closed it already, except on errors
	if err := c.ready(ln.Addr().String()); err != nil {
		return exitError, err
	}
	if c.workers > 1 {
		return c.master(ctx, ln.(*net.TCPListener), args)
	}
	return c.serve(ctx, ln)
}

// ready tells the address to whoever started us.
func (c *config) ready(addr string) error {
	newLog(c.Log).Info("listening", "addr", addr, "url", "http://"+addr, "workers", c.workers)
	if c.readyFile == "" {
		return nil
	}
	// Renamed into place, so that a reader never sees half an address.
	if err := os.WriteFile(c.readyFile+".tmp", []byte(addr), 0o644); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	if err := os.Rename(c.readyFile+".tmp", c.readyFile); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	return nil
}

// serve answers ln until ctx ends, and drains.
func (c *config) serve(ctx context.Context, ln net.Listener) (int, error) {
	s, err := New(c.Options)
	if err != nil {
		return exitUsage, err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	select {
	case err := <-served: // the listener broke
		return exitError, errors.Join(err, s.drain(0))
	case <-s.spent:
		s.log.Info("Maximum request limit of "+strconv.Itoa(c.Requests)+" exceeded, stopping", "streams", s.open())
	case <-ctx.Done():
	}
	s.log.Info("draining", "streams", s.open(), "grace", c.grace.String())
	if err := errors.Join(s.drain(c.grace), <-served); err != nil {
		return exitCut, err
	}
	s.log.Info("drained")
	return exitOK, nil
}

// drain is Shutdown with a grace.
func (s *Server) drain(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return s.Shutdown(ctx)
}

// open counts the streams in flight.
func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// fill returns n bytes of memory (and one) that are really there: a page that
// was never written to costs nothing.
func fill(n int64) []byte {
	b := make([]byte, n+1)
	for i := int64(0); i < n; i += int64(os.Getpagesize()) {
		b[i] = 1
	}
	return b
}
