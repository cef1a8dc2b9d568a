package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"time"
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
var trouble = regexp.MustCompile(`(?i)error|crit|alert|emerg|fatal|warn|exception|traceback|panic|time(d )?-?out|kill|signal|` +
	`\boom\b|out of memory|refused|reset|prematurely|terminat|shut(ting)? ?down|exit|died|abort`)

// readLog reads the file of one entry. A file that was never written is an empty
// log.
func readLog(root *os.Root, e logEntry, run *Run) (Log, error) {
	l := Log{Scenario: e.Scenario, Name: e.Name, Kind: e.Kind}
	f, err := root.Open(path.Join(logsFolder, e.Scenario, e.Name))
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	clock := lineClock{start: run.Plan.Started, near: scenarioStart(run, e.Scenario)}
	keep := lineKeeper{head: keepHead, tail: keepTail, trouble: keepTrouble}
	if err := keep.readFrom(f, &clock); err != nil {
		return l, fmt.Errorf("read log %s: %w", path.Join(e.Scenario, e.Name), err)
	}
	l.Lines, l.Omitted = keep.lines(), keep.omitted
	return l, nil
}

// scenarioStart is when the first stream of a scenario was due: about where its
// logs begin.
func scenarioStart(run *Run, scenario string) time.Duration {
	for i := range run.Streams {
		if s := &run.Streams[i]; s.Scenario == scenario {
			return max(0, s.Sched)
		}
	}
	return 0
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
func (k *lineKeeper) readFrom(r io.Reader, clock *lineClock) error {
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
		k.add(Line{N: k.n, At: clock.offset(text), Text: strings.ToValidUTF8(text, "\uFFFD")})
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
