package container

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// reopenPause lies between the end of a container's log and the next try: a
// container that starts again goes on writing.
const reopenPause = 200 * time.Millisecond

// A source of logs is a box and the files that it writes: one for both of its
// outputs, or one each.
type logSource struct {
	box   *box
	files []stack.Log
}

// logs are the files of replica r: app.log where it is the only one.
func (s *Stack) logs(r *replica) []stack.Log {
	name := "app.log"
	if n := strings.Trim(r.name, "ap[]"); s.spec.Replicas > 1 || n != "0" {
		name = "app." + n + ".log"
	}
	return []stack.Log{{Name: name, Kind: appLog}}
}

// follow copies what a box writes into the log folder, live. It ends with the
// watcher. Close reads all again: a follower can lose lines at a restart.
func (s *Stack) follow(b *box, files ...stack.Log) {
	src := logSource{b, files}
	s.watch.mu.Lock()
	s.watch.logs = append(s.watch.logs, src)
	s.watch.mu.Unlock()
	s.watch.all.Go(func() {
		since := ""
		for {
			_ = s.copyLog(s.watch.ctx, src, true, since, os.O_APPEND) // Close says what is wrong
			since = strconv.FormatInt(time.Now().Unix(), 10)
			select {
			case <-s.watch.ctx.Done():
				return
			case <-time.After(reopenPause):
			}
		}
	})
}

// copyLog copies a box's log to its files.
func (s *Stack) copyLog(ctx context.Context, src logSource, follow bool, since string, mode int) (err error) {
	r, err := s.d.ContainerLogs(ctx, src.box.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true,
		Follow: follow, Since: since, Timestamps: src.files[0].Kind == appLog})
	if err != nil {
		return fmt.Errorf("read log of %s: %w", src.box.part, err)
	}
	defer r.Close()
	outs := make([]io.Writer, 0, 2)
	for _, l := range src.files {
		f, err := os.OpenFile(filepath.Join(s.spec.LogDir, l.Name), os.O_CREATE|os.O_WRONLY|mode, 0o644)
		if err != nil {
			return fmt.Errorf("open log: %w", err)
		}
		defer f.Close()
		outs = append(outs, &stamper{out: f, on: l.Kind == appLog})
	}
	if err = src.box.split(outs[0], outs[len(outs)-1], r); err != nil {
		return fmt.Errorf("read log of %s: %w", src.box.part, err)
	}
	return nil
}

// split writes a log of the box to where its two outputs belong. One with a terminal has a
// single output, which comes as it is, with the terminal's ends of lines.
func (b *box) split(stdout, stderr io.Writer, r io.Reader) error {
	if !b.tty {
		_, err := stdcopy.StdCopy(stdout, stderr, r)
		return err
	}
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if text, ok := bytes.CutSuffix(line, []byte("\r\n")); ok {
			line = append(text, '\n')
		}
		if len(line) > 0 {
			if _, werr := stdout.Write(line); werr != nil {
				return werr
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Logs implements [stack.Stack].
func (s *Stack) Logs() []stack.Log {
	var list []stack.Log
	for _, src := range s.watch.sources() {
		list = append(list, src.files...)
	}
	return list
}

func (w *watcher) sources() []logSource {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.logs)
}

// saveLogs reads every log from its start. The proxies' logs are read only here:
// they say little, and only when something is wrong.
func (s *Stack) saveLogs(ctx context.Context) error {
	sources := s.watch.sources()
	var known []*box
	for _, src := range sources {
		known = append(known, src.box)
	}
	s.mu.Lock()
	for _, b := range s.boxes {
		if b.id != "" && !slices.Contains(known, b) {
			sources = append(sources, logSource{b, []stack.Log{{Name: hostname(b.part) + ".log", Kind: record.ProxyLog}}})
		}
	}
	s.mu.Unlock()
	errs := make([]error, len(sources))
	var all sync.WaitGroup
	for i, src := range sources {
		all.Go(func() { errs[i] = s.copyLog(ctx, src, false, "", os.O_TRUNC) })
	}
	all.Wait()
	s.watch.mu.Lock()
	s.watch.logs = sources
	s.watch.mu.Unlock()
	return errors.Join(errs...)
}
