package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

// ErrNoRun is returned by [Open] for a folder that holds no run.
var ErrNoRun = errors.New("not a run folder")

// Open reads a run folder, whole or torn. What follows the last whole entry is
// counted in [Run.Torn]. A stream that began and has no end comes back as
// cancelled by the end of the run, so that the sum of outcomes still equals the
// streams started.
//
// Files are read through [os.Root]: a folder that came from elsewhere cannot
// make it read anything outside.
func Open(dir string) (*Run, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	defer root.Close()
	plan, err := readPlan(root, dir)
	if err != nil {
		return nil, err
	}
	r := newReading(plan)
	in, err := root.Open(recordFile)
	if err == nil {
		err = errors.Join(r.readAll(in), in.Close())
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) { // killed right after the plan: an empty run
		return nil, fmt.Errorf("open run: %w", err)
	}
	r.cutShort()
	if err := r.readLogs(root); err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	return r.run, nil
}

// readPlan reads plan.json, and the schema in it before the rest.
func readPlan(root *os.Root, dir string) (plan Plan, err error) {
	b, err := root.ReadFile(planFile)
	if errors.Is(err, os.ErrNotExist) {
		return plan, fmt.Errorf("open run %s: %w: it has no %s", dir, ErrNoRun, planFile)
	}
	if err != nil {
		return plan, fmt.Errorf("open run: %w", err)
	}
	var head struct{ Schema string }
	if err := json.Unmarshal(b, &head); err != nil {
		return plan, fmt.Errorf("open run: read %s: %w", path.Join(dir, planFile), err)
	}
	if err := checkSchema(head.Schema); err != nil {
		return plan, fmt.Errorf("open run %s: %w", dir, err)
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		return plan, fmt.Errorf("open run: read %s: %w", path.Join(dir, planFile), err)
	}
	return plan, nil
}

// checkSchema refuses a record that is none, or one of a later major number.
func checkSchema(s string) error {
	name, ours, _ := strings.Cut(Schema, "/")
	theirName, theirs, _ := strings.Cut(s, "/")
	major, err := strconv.Atoi(theirs)
	if theirName != name || err != nil {
		return fmt.Errorf("%w: schema %q", ErrNoRun, s)
	}
	if known, err := strconv.Atoi(ours); err != nil || major > known {
		return fmt.Errorf("schema %s is newer than %s, which this streamproof reads: use the version that wrote it", s,
			Schema)
	}
	return nil
}
