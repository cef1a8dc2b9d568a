package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// goodbye is how long a worker has to go by itself once its input has ended.
const goodbye = 5 * time.Second

// A Process is a worker in a process of this machine: its standard streams are the
// connection.
type Process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *os.File
	said tail

	once sync.Once
	done chan struct{} // closed when it has ended
	err  error
}

// Spawn starts a program that serves as a worker, in a process group of its own: a Ctrl-C
// at the terminal is the parent's to deal with. It ends when its input does.
func Spawn(path string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start load worker: %w", err)
	}
	widen(out)
	p.out, p.cmd.Stdout, p.cmd.Stderr = out, theirs, &p.said
	p.cmd.SysProcAttr = ownGroup()
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	err = errors.Join(err, theirs.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start load worker: %w", err), out.Close())
	}
	go func() { // ends with the process
		defer close(p.done)
		p.cmd.Wait() // how it ended is in its last words, or it was ended by us
	}()
	return p, nil
}

// Pid is its number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Words are the last line that it wrote on its standard error, or how it ended.
func (p *Process) Words() string {
	select {
	case <-p.done:
	case <-time.After(goodbye):
		return ""
	}
	if line := p.said.last(); line != "" {
		return line
	}
	return p.cmd.ProcessState.String()
}

func (p *Process) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *Process) Write(b []byte) (int, error) { return p.in.Write(b) }

// Close ends the process and waits until it has ended: its input first, then by a signal.
func (p *Process) Close() error {
	p.once.Do(func() {
		p.in.Close() // it may have gone already
		select {
		case <-p.done:
		case <-time.After(goodbye):
			p.cmd.Process.Kill()
			<-p.done
		}
		p.err = p.out.Close()
	})
	return p.err
}

// A tail keeps the end of what was written.
type tail struct {
	mu   sync.Mutex // guards text
	text []byte
}

// tailSize is how much of it, in bytes.
const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(b), nil
}

// last is the last line that is not empty.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	return strings.TrimSpace(string(lines[len(lines)-1]))
}
