package play

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// fileLogs enters the stack's logs into the record, without the secrets, and
// copies what the logs that we attached to gained during the scenario.
func (p *player) fileLogs() error {
	p.logs.close()
	var errs []error
	for _, l := range p.stack.Logs() {
		path := filepath.Join(p.logDir(p.sc), l.Name)
		errs = append(errs, p.scrub(path), p.rec.Log(p.sc.ID, l.Name, l.Kind))
		p.rec.LogArrivals(p.sc.ID, l.Name, p.logs.arrivals(path))
	}
	for i, l := range p.App.Logs {
		errs = append(errs, p.fileAttached(i, l))
	}
	return errors.Join(errs...)
}

// fileAttached copies one log of the user's and says what it was taken for.
func (p *player) fileAttached(i int, l harness.LogFile) error {
	kind, _ := logline.Named(l.Kind)
	name := attachedName(i, p.App.Logs)
	to := filepath.Join(p.logDir(p.sc), name)
	from := p.logs.offset(l.Path)
	if kind == logline.Kubernetes {
		from = 0 // a list of objects is written anew, not added to
	}
	if err := copyFrom(l.Path, from, to); err != nil {
		return err
	}
	err := errors.Join(p.scrub(to), p.rec.AttachedLog(p.sc.ID, name, kind))
	p.rec.LogArrivals(p.sc.ID, name, p.logs.arrivals(l.Path))
	lines, total, rerr := firstLines(to)
	if rerr != nil {
		return errors.Join(err, rerr)
	}
	was := logline.Recognise(l.Path, lines)
	pieces := logline.Apart(l.Path, lines)
	switch {
	case len(pieces) > 1:
		p.note(p.sc.ID, record.NoteFact, fmt.Sprintf("log %s: %d lines, taken apart: %s", l.Path, total,
			listPieces(pieces)), "")
	case len(pieces) == 1 && kind == "":
		p.note(p.sc.ID, record.NoteFact, fmt.Sprintf("log %s: %d lines, taken for %s", l.Path, total, pieces[0].Reading), "")
	case total == 0:
		p.note(p.sc.ID, record.NoteFact, fmt.Sprintf("log %s: nothing was written to it while the streams ran", l.Path), "")
	case was.Kind == record.NotALog:
		p.note(p.sc.ID, record.NoteFact, fmt.Sprintf("log %s is %s: it was not read", l.Path, was), "")
	case kind == "":
		p.note(p.sc.ID, record.NoteFact, fmt.Sprintf("log %s: %d lines, taken for %s", l.Path, total, was), "")
	}
	return err
}

// listPieces says what the programs are that wrote a file.
func listPieces(pieces []logline.Piece) string {
	var list []string
	for _, p := range pieces {
		what := p.Reading.String()
		if p.Service != "" {
			if p.Reading.Kind == logline.App { // whether it is the app's log is open
				what = cmp.Or(p.Writer, "a service")
			}
			what = p.Service + " (" + what + ")"
		}
		list = append(list, what)
	}
	return strings.Join(list, ", ")
}

// attachedName is the name of the copy: that of the file behind its kind, with a
// number where two are alike.
func attachedName(i int, logs []harness.LogFile) string {
	name := func(l harness.LogFile) string { return cmp.Or(l.Kind, "auto") + "-" + filepath.Base(l.Path) }
	same := 0
	for _, l := range logs[:i] {
		if name(l) == name(logs[i]) {
			same++
		}
	}
	if same > 0 {
		return fmt.Sprintf("%s-%d-%s", cmp.Or(logs[i].Kind, "auto"), same+1, filepath.Base(logs[i].Path))
	}
	return name(logs[i])
}

// firstLines reads enough of a file to recognise it, and counts its lines.
func firstLines(path string) (lines []string, total int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read attached log: %w", err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 64<<10), 4<<20)
	for in.Scan() {
		if total++; len(lines) < 1000 {
			lines = append(lines, in.Text())
		}
	}
	return lines, total, nil // what follows an endless line is not needed here
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
	if p.Secrets.Empty() {
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
	err = p.Secrets.Scrub(w, bufio.NewReader(in))
	err = errors.Join(err, w.Flush(), out.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("scrub log: %w", err), os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}
