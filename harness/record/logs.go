package record

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
)

// Bounds on what is kept of one log, so that a server that floods its log cannot
// flood us: the first and last lines, and of those between them the ones that
// smell of trouble.
const (
	keepHead    = 20_000 // lines
	keepTail    = 20_000 // lines
	keepTrouble = 5_000  // lines
	keepLine    = 4 << 10
)

// trouble is what a line worth keeping says. It errs on the side of keeping.
var trouble = regexp.MustCompile(`(?i)error|crit|alert|emerg|fatal|warn|exception|traceback|panic|time(d )?-?out|` +
	`kill|signal|` +
	`\boom\b|out of memory|refused|reset|prematurely|terminat|shut(ting)? ?down|exit|died|abort`)

// readLog reads the file of one entry: one log, or one for each program that wrote into
// a file of the user's. A file that was never written is an empty log.
func (r *reading) readLog(root *os.Root, e logEntry) ([]Log, error) {
	l := Log{Scenario: e.Scenario, Name: e.Name, Kind: e.Kind}
	f, err := root.Open(path.Join(logsFolder, e.Scenario, e.Name))
	if errors.Is(err, os.ErrNotExist) {
		l.Kind = cmp.Or(l.Kind, logline.Recognise(e.Name, nil).Kind)
		return []Log{l}, nil
	}
	if err != nil {
		return []Log{l}, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	keep := lineKeeper{head: keepHead, tail: keepTail, trouble: keepTrouble}
	if err := keep.readFrom(f); err != nil {
		return []Log{l}, fmt.Errorf("read log %s: %w", path.Join(e.Scenario, e.Name), err)
	}
	l.Lines, l.Omitted = keep.lines(), keep.omitted
	logs := []Log{l}
	if e.Attached {
		logs = apart(l)
	}
	if logs[0].Was.Kind == "" {
		logs[0].Was = logline.Recognise(e.Name, texts(l.Lines))
	}
	if len(logs) == 1 {
		logs[0].Kind = r.kindOf(e, logs[0].Was)
	}
	if logs[0].Kind == KubernetesLog {
		return logs, r.readKubernetes(f, &logs[0])
	}
	r.stamp(e, logs, len(l.Lines))
	return logs, nil
}

// apart is a log of the user's by the programs that wrote it. The lines keep their numbers.
func apart(l Log) []Log {
	pieces := logline.Apart(l.Name, texts(l.Lines))
	if pieces == nil {
		return []Log{l}
	}
	logs := make([]Log, 0, len(pieces))
	for _, p := range pieces {
		x := Log{Scenario: l.Scenario, Name: l.Name, Service: p.Service, Was: p.Reading, Kind: p.Kind, shared: true}
		if l.Kind != "" && !p.Kind.Edge() && (!p.Sure || l.Kind == ProxyLog) {
			x.Kind = l.Kind
		}
		for j, i := range p.Index {
			line := l.Lines[i]
			line.Text, line.stamp = p.Text[j], p.Stamp[j]
			x.Lines = append(x.Lines, line)
		}
		logs = append(logs, x)
	}
	logs[0].Omitted = l.Omitted
	return logs
}

// stamp gives the lines of a file their times, and forgets those of a user's log that are of
// another time. The file has n lines in all.
func (r *reading) stamp(e logEntry, logs []Log, n int) {
	span := r.span(e.Scenario)
	clock := lineClock{start: r.run.Plan.Started, from: span.From, to: span.To}
	seen, left, outside := r.arrivals(e), 0, 0
	for i := range logs {
		l := &logs[i]
		clock.stamp(l, seen)
		if e.Attached {
			l.dropOthers(clock)
		}
		left, outside = left+len(l.Lines), outside+l.Outside
		for j := range l.Lines {
			l.Lines[j].At = max(l.Lines[j].At, Never)
		}
	}
	if outside > 0 && left == 0 {
		r.run.Notes = append(r.run.Notes, Note{Scenario: e.Scenario, At: Never, Kind: NoteDoubt,
			Text:   fmt.Sprintf("log %s: none of its %d lines is of the time of this scenario", e.Name, n),
			Settle: "give the log that is written while the streams run, and compare the clocks of both machines"})
	}
}

func texts(lines []Line) []string {
	out := make([]string, len(lines))
	for i := range lines {
		out[i] = lines[i].Text
	}
	return out
}

// kindOf is what the user calls a log, unless its content is surely another's: a
// configuration says nothing by its silence, nor does the log of one layer about
// another. Our own stacks know what they filed.
func (r *reading) kindOf(e logEntry, was logline.Reading) LogKind {
	switch {
	case e.Kind == "":
		return was.Kind
	case !e.Attached || !was.Sure || was.Kind == e.Kind || e.Kind == ProxyLog:
		return e.Kind
	case was.Kind == NotALog, was.Kind == KubernetesLog, was.Kind.Edge(), e.Kind.Edge():
		r.run.Notes = append(r.run.Notes, Note{Scenario: e.Scenario, At: Never, Kind: NoteFact,
			Text: fmt.Sprintf("log %s was given as %s and reads like %s: it is read as that", e.Name, e.Kind, was)})
		return was.Kind
	}
	return e.Kind
}

// readKubernetes reads a file of objects instead of lines.
func (r *reading) readKubernetes(f *os.File, l *Log) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read log %s: %w", l.Name, err)
	}
	facts, pods, err := logline.ReadKubernetes(io.LimitReader(f, keepObjects))
	l.Lines, l.Pods = nil, pods
	span := r.span(l.Scenario)
	for _, k := range facts {
		at := Never
		if !k.At.IsZero() {
			at = k.At.Sub(r.run.Plan.Started)
			if at < span.From-aroundRun || at > span.To+aroundRun {
				l.Outside++
				continue
			}
		}
		l.Lines = append(l.Lines, Line{N: len(l.Lines) + 1, At: max(at, Never), Text: k.Text, Within: time.Second})
		l.Kube = append(l.Kube, k)
	}
	return err
}

// keepObjects bounds what is read of a file of objects, in bytes.
const keepObjects = 64 << 20

// aroundRun is how far outside of a scenario a line may be stamped and still be
// about it: the clocks of two machines differ.
const aroundRun = 2 * time.Second

// dropOthers forgets the lines of a user's log that are of another time.
func (l *Log) dropOthers(c lineClock) {
	n := len(l.Lines)
	l.Lines = slices.DeleteFunc(l.Lines, func(x Line) bool {
		return x.At == outside || x.At != Never && (x.At+x.Within < c.from-aroundRun || x.At > c.to+aroundRun)
	})
	l.Outside = n - len(l.Lines)
}

// arrivals finds what was seen of a log's growth.
func (r *reading) arrivals(e logEntry) Arrivals {
	for _, a := range r.came {
		if a.Scenario == e.Scenario && a.Name == e.Name {
			return Arrivals{a.From, a.To, a.Lines, a.Whole}
		}
	}
	return Arrivals{}
}

// A lineKeeper keeps lines within bounds.
//
//	line 1 … head │ only what smells of trouble │ the last tail lines
type lineKeeper struct {
	head, tail, trouble int // bounds, in lines

	first, middle []Line
	last          []Line // a ring
	next          int    // place of the oldest line in a full ring
	n             int
	omitted       int
}

// readFrom reads all lines of r.
func (k *lineKeeper) readFrom(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		text, err := readLine(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		k.n++
		k.add(Line{N: k.n, At: Never, Text: strings.ToValidUTF8(text, "\uFFFD")})
	}
}

// readLine reads one line without its end and cuts it at keepLine bytes. It
// returns io.EOF once nothing is left.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part[:min(len(part), keepLine-len(line))]...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) > 0: // the last line has no end
		case err != nil:
			return "", err
		}
		return strings.TrimRight(string(line), "\r\n"), nil
	}
}

func (k *lineKeeper) add(l Line) {
	if len(k.first) < k.head {
		k.first = append(k.first, l)
		return
	}
	if len(k.last) < k.tail {
		k.last = append(k.last, l)
		return
	}
	old := k.last[k.next]
	k.last[k.next] = l
	k.next = (k.next + 1) % k.tail
	if len(k.middle) < k.trouble && trouble.MatchString(old.Text) {
		k.middle = append(k.middle, old)
		return
	}
	k.omitted++
}

// lines returns what was kept, in order.
func (k *lineKeeper) lines() []Line {
	all := append(k.first, k.middle...)
	all = append(all, k.last[k.next:]...)
	return append(all, k.last[:k.next]...)
}
