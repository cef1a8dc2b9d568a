package diagnose

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A view is one scenario, laid out for the rules.
type view struct {
	*verdict.Scope
	edge   edge
	tags   [numTags][]hit
	logs   map[record.LogKind][]*record.Log
	was    map[*record.Log]logline.Reading
	traces []trace
	access accesses
	// written are the lines by the statement that wrote them; see writings.
	written   []*writing
	deaths    deaths
	direct    direct
	workloads *workloads
	others    []otherEnd // of pods that may not be the app's
	// open are the streams that still want an explanation.
	open []*verdict.Graded
}

func newView(s *verdict.Scope) *view {
	v := &view{Scope: s, logs: make(map[record.LogKind][]*record.Log), was: make(map[*record.Log]logline.Reading)}
	for i := range s.Streams {
		if g := &s.Streams[i]; v.wants(g) {
			v.open = append(v.open, g)
		}
	}
	if len(v.open) == 0 {
		return v
	}
	for i := range s.Run.Logs {
		if l := &s.Run.Logs[i]; l.Scenario == s.Scenario.ID || l.Scenario == "" {
			v.readLog(l)
		}
	}
	v.joinAccess()
	v.dropOthers()
	v.tagAccess()
	v.readWorkloads()
	v.tagKube()
	v.dropOurClosing()
	v.edge = edgeOf(s)
	v.nameEdge()
	v.direct = directOf(s)
	v.deaths = deathsOf(v)
	return v
}

// stampUnit is how early the stamp of a log line may be: it names whole seconds.
const stampUnit = time.Second

// dropOurClosing forgets the lines by which the app answers to our own end of the
// scenario.
func (v *view) dropOurClosing() {
	closing := record.Never
	for _, e := range v.Events {
		if e.Kind == record.KindClosing && (closing == record.Never || e.At < closing) {
			closing = e.At
		}
	}
	if closing == record.Never {
		return
	}
	for _, t := range []tag{termHandled, shuttingDown, edgeStopped} {
		v.tags[t] = slices.DeleteFunc(v.tags[t], func(h hit) bool { return h.line.At >= closing-stampUnit })
	}
}

// readLog sorts the lines of a log. What is no log says nothing, nor does its
// silence.
func (v *view) readLog(l *record.Log) {
	if l.Kind == record.NotALog {
		return
	}
	v.logs[l.Kind] = append(v.logs[l.Kind], l)
	if v.was[l] = l.Was; l.Was.Kind == "" {
		v.was[l] = logline.Recognise(l.Name, someLines(l))
	}
	v.readTraces(l)
	for _, line := range l.Lines {
		if a, ok := parseAccess(hit{log: l, line: line}); ok {
			v.access.all = append(v.access.all, a)
		}
	}
	tagLines(l, &v.tags)
}

// someLines are enough of a log to recognise it.
func someLines(l *record.Log) []string {
	var texts []string
	for _, line := range l.Lines[:min(400, len(l.Lines))] {
		texts = append(texts, line.Text)
	}
	return texts
}

// wants reports whether a stream broke a promise. Flags count where the scenario
// checks them, and those about time only out of our own faults' way.
func (v *view) wants(g *verdict.Graded) bool {
	if g.Group == record.Probe {
		return false // it meets what others left
	}
	switch g.Grade.Outcome {
	case verdict.Complete, verdict.Cancelled:
	default:
		return true
	}
	if g.Content.Split > 0 || g.Content.Early > 0 && v.LooseTerminal() {
		return true
	}
	for _, f := range g.Grade.Flags {
		if v.minds(f) && !(g.Struck && aboutTime(f)) {
			return true
		}
	}
	return false
}

func (v *view) minds(f verdict.Flag) bool {
	return slices.Contains(v.Scenario.Policy.Checks, string(f)) || f == verdict.Slowed && v.Scenario.Policy.Slowdown > 0
}

func aboutTime(f verdict.Flag) bool {
	return f == verdict.Late || f == verdict.Gappy || f == verdict.Slowed || f == verdict.Buffered ||
		f == verdict.Lingering
}

// flagged reports whether g bears a flag that the scenario minds.
func (v *view) flagged(g *verdict.Graded, f verdict.Flag) bool { return g.Grade.Has(f) && v.minds(f) }

// take returns the open streams that want holds for.
func (v *view) take(want func(*verdict.Graded) bool) []*verdict.Graded {
	var out []*verdict.Graded
	for _, g := range v.open {
		if want(g) {
			out = append(out, g)
		}
	}
	return out
}

func (v *view) with(o verdict.Outcome) []*verdict.Graded {
	return v.take(func(g *verdict.Graded) bool { return g.Grade.Outcome == o })
}

// explain takes the streams of a finding off the table, unless it is only
// possible.
func (v *view) explain(f *finding) {
	if f.Confidence == possible {
		return
	}
	done := make(map[*verdict.Graded]bool, len(f.streams))
	for _, g := range f.streams {
		done[g] = true
	}
	v.open = slices.DeleteFunc(v.open, func(g *verdict.Graded) bool { return done[g] })
}

// lastWord is the last line of the app's log that names the stream.
func (v *view) lastWord(g *verdict.Graded) record.Evidence {
	if g.Nonce == "" {
		return record.Evidence{}
	}
	for _, l := range v.logs[record.AppLog] {
		for _, line := range slices.Backward(l.Lines) {
			if strings.Contains(line.Text, g.Nonce) {
				e := hit{log: l, line: line}.cited()
				e.Stream = g.Seq
				return e
			}
		}
	}
	return record.Evidence{}
}

// rerun is to repeat the run with another value of a flag, and why. Only headers may
// stand in a command more than once. A run of go test has no flags, and no command.
func (v *view) rerun(change string, why ...record.FactKind) fact {
	f := fact{Kind: NextRerun, Name: change}
	for _, k := range why {
		f.About = append(f.About, fact{Kind: k})
	}
	repro := v.repro()
	if repro == "" {
		return f
	}
	for _, name := range shellWords.FindAllString(change, -1) {
		if strings.HasPrefix(name, "--") && name != "--header" { // which may be given several times
			repro = without(repro, name)
		}
	}
	if strings.HasPrefix(change, "--ramp ") { // streams at each hop begin together
		repro = strings.Replace(repro, "streamproof diagnose", "streamproof run", 1)
	}
	f.Text = repro + " " + change
	return f
}

// repro is the command line that repeats the run; "" where it was not one of the
// program's.
func (v *view) repro() string {
	switch r := v.Run.Plan.Repro; {
	case r == "":
		return "streamproof run"
	case strings.HasPrefix(r, "streamproof "):
		return r
	}
	return ""
}

// shellWords takes a command line apart, quotes and all.
var shellWords = regexp.MustCompile(`(?:\$'(?:[^'\\]|\\.)*'|'[^']*'|\\.|[^\s'\\])+`)

// without leaves flags and their values out of a command line, if they are there.
func without(line string, names ...string) string {
	var kept []string
	words := shellWords.FindAllString(line, -1)
	for i := 0; i < len(words); i++ {
		name, _, joined := strings.Cut(words[i], "=")
		if !slices.Contains(names, name) {
			kept = append(kept, words[i])
		} else if !joined && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			i++
		}
	}
	return strings.Join(kept, " ")
}

// RunOnly are the flags of 'streamproof run' that 'streamproof diagnose' does not have.
var RunOnly = []string{"--scenario", "--require", "--strict", "--set", "--suite", "--tag", "--skip-tag", "--list",
	"--shard", "--retries", "--flaky", "--count", "--rate", "--ramp", "--duration", "--arrivals", "--stage", "--turns",
	"--think", "--load-prompts", "--load-workers", "--fleet", "--dry-run", "--history", "--app-version", "--commit",
	"--branch"}

// peel is the command that compares the layers of the app that was tested, with
// what it is for. It asks the app directly: where a server already ran, the reader
// has to say where the app behind its edge listens.
func (v *view) peel(why fact) fact {
	f := fact{Kind: NextPeel, About: []fact{why}}
	repro := v.repro()
	if repro == "" {
		return f
	}
	line := "streamproof diagnose" + strings.TrimPrefix(strings.TrimPrefix(repro, "streamproof diagnose"),
		"streamproof run")
	line = without(line, append([]string{"--streams", "--seed"}, RunOnly...)...)
	if v.Run.Attached() && !v.Run.AppAlone(v.Scenario.ID) && !strings.Contains(line, " --direct ") {
		line, f.Name = line+` --direct "$APP_URL"`, "APP_URL"
	}
	f.Text = line
	return f
}

// settings looks a layer's setting up.
func settings(s *verdict.Scope, layer, name string) string {
	for _, l := range s.Scenario.Layers {
		if strings.Contains(l.Name, layer) && l.Settings[name] != "" {
			return l.Settings[name]
		}
	}
	return ""
}

// lasting reads "2s", "75", "1m" as people write them in configurations.
func lasting(s string) time.Duration {
	s = strings.ReplaceAll(s, " ", "") // nginx takes "1h 30m"
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, _ := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour
	}
	if d, err := time.ParseDuration(s); err == nil {
		return d
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(n * float64(time.Second))
	}
	return 0
}

// nameEdge takes the name of the edge from its log, where nothing else tells.
func (v *view) nameEdge() {
	if v.edge.product != record.EdgeUnknown {
		return
	}
	for _, k := range logline.Kinds {
		if p := k.Product(); p != "" && len(v.logs[k]) > 0 {
			v.edge.product, v.edge.there = record.EdgeProduct(p), true
			return
		}
	}
}
