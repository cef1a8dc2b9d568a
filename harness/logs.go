package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/record"
)

// fileLogs enters the stack's logs into the record, without the secrets, and
// copies what the logs that we attached to gained during the scenario.
func (p *player) fileLogs() error {
	var errs []error
	for _, l := range p.stack.Logs() {
		path := filepath.Join(p.logDir(p.sc), l.Name)
		errs = append(errs, p.scrub(path), p.rec.Log(p.sc.ID, l.Name, record.LogKind(l.Kind)))
	}
	for kind, path := range p.App.Logs {
		name := kind + "-" + filepath.Base(path)
		err := copyFrom(path, p.offsets[path], filepath.Join(p.logDir(p.sc), name))
		errs = append(errs, err, p.scrub(filepath.Join(p.logDir(p.sc), name)), p.rec.Log(p.sc.ID, name, record.LogKind(kind)))
	}
	return errors.Join(errs...)
}

// logOffsets remembers where the attached logs end before the scenario begins.
func logOffsets(logs map[string]string) (map[string]int64, error) {
	at := map[string]int64{}
	for kind, path := range logs {
		info, err := os.Stat(path)
		if err != nil {
			return nil, &UsageError{Place: "logs." + kind, Problem: err.Error(), Fix: "name a file that this machine can read"}
		}
		at[path] = info.Size()
	}
	return at, nil
}

func copyFrom(path string, offset int64, to string) error {
	in, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read attached log: %w", err)
	}
	defer in.Close()
	if info, err := in.Stat(); err == nil && info.Size() >= offset { // else it was rotated: take all
		if _, err := in.Seek(offset, io.SeekStart); err != nil {
			return fmt.Errorf("read attached log: %w", err)
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("copy attached log: %w", err)
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// scrub takes the secrets out of a log file.
func (p *player) scrub(path string) error {
	if p.secrets.replace == nil || p.secrets.empty {
		return nil
	}
	in, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scrub log: %w", err)
	}
	defer in.Close()
	tmp := path + ".scrubbed"
	out, err := os.Create(tmp)
	if err != nil {
		return fmt.Errorf("scrub log: %w", err)
	}
	w := bufio.NewWriter(out)
	err = scrubLines(w, bufio.NewReader(in), p.secrets)
	err = errors.Join(err, w.Flush(), out.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("scrub log: %w", err), os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}

func scrubLines(w *bufio.Writer, r *bufio.Reader, s secrets) error {
	for {
		line, err := r.ReadString('\n')
		if _, werr := s.replace.WriteString(w, line); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
