package scenarios

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// Execute plays o, judges and diagnoses what was recorded, and writes the
// reports into o.Dir. A run that broke or was interrupted is judged as far as it
// got; the error is then the harness's and comes beside the report. A
// [*harness.UsageError] comes alone: nothing was started.
func Execute(ctx context.Context, o harness.Options) (*verdict.Report, error) {
	if o.Opener == nil {
		opener, err := Opener(o.App)
		if err != nil {
			return nil, err
		}
		o.Opener = opener
	}
	if o.StartLoadWorker == nil {
		o.StartLoadWorker = StartLoadWorker
	}
	if o.LoadFleet == nil {
		var err error
		if o.LoadFleet, err = LoadFleet(&o); err != nil {
			return nil, err
		}
	}
	runErr := play.Run(ctx, o)
	var usage *harness.UsageError
	if errors.As(runErr, &usage) {
		return nil, runErr
	}
	if _, err := os.Stat(o.Dir); err != nil {
		return nil, errors.Join(runErr, err)
	}
	report, err := Judge(o.Dir)
	if err = errors.Join(runErr, err); err != nil || o.Suite.Retries == 0 {
		return report, err
	}
	return retried(ctx, o, report)
}

// retryFolder is where the n-th retry of a run has its record.
func retryFolder(n int) string { return fmt.Sprintf("retry-%d", n) }

// retryStreams is the distance between the numbers of the first streams of a run and of
// its retries.
const retryStreams = 10_000_000

// retried plays the scenarios again that did not pass, as often as the suite says, until
// they do. Each retry is a run of its own within the run's folder, with the same seed and
// other nonces, so that an app which stores answers does not give the first ones again.
func retried(ctx context.Context, o harness.Options, report *verdict.Report) (*verdict.Report, error) {
	list := slices.DeleteFunc(slices.Clone(o.Scenarios), func(sc harness.Scenario) bool {
		return !slices.ContainsFunc(report.Scenarios, func(s verdict.ScenarioReport) bool {
			return s.ID == sc.ID && s.Retriable()
		})
	})
	for n := 1; n <= o.Suite.Retries && len(list) > 0 && ctx.Err() == nil; n++ {
		again := o
		again.Scenarios, again.Dir, again.First = list, filepath.Join(o.Dir, retryFolder(n)), uint64(n*retryStreams)
		again.Suite = record.Suite{Name: o.Suite.Name, Retry: n}
		if o.Retry != nil {
			o.Retry(n, idsOf(list))
		}
		if err := play.Run(ctx, again); err != nil {
			report, judged := Judge(o.Dir)
			return report, errors.Join(fmt.Errorf("retry %d: %w", n, err), judged)
		}
		r, err := Judge(again.Dir)
		if err != nil {
			return report, err
		}
		list = slices.DeleteFunc(list, func(sc harness.Scenario) bool {
			return slices.ContainsFunc(r.Scenarios, func(s verdict.ScenarioReport) bool {
				return s.ID == sc.ID && s.Verdict == verdict.Pass
			})
		})
	}
	return Judge(o.Dir)
}

func idsOf(list []harness.Scenario) (ids []string) {
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

// retries judges the retries of the run in dir, in their order.
func retries(dir string) (all []*verdict.Report, folders []string, err error) {
	for n := 1; ; n++ {
		folder := retryFolder(n)
		if _, err := os.Stat(filepath.Join(dir, folder, "plan.json")); err != nil {
			return all, folders, nil // there is no other
		}
		in, err := Read(filepath.Join(dir, folder), nil)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", folder, err)
		}
		all, folders = append(all, in.Report), append(folders, folder)
	}
}

// Judge judges a stored run with today's checks and writes its reports again.
func Judge(dir string) (*verdict.Report, error) {
	in, err := Read(dir, nil)
	if err != nil {
		return nil, err
	}
	if err := reports.WriteAll(dir, in); err != nil {
		return in.Report, fmt.Errorf("write reports: %w", err)
	}
	return in.Report, nil
}

// Read judges a stored run with today's checks, a part of it in memory at a time, and
// returns what reports show. Where each is not nil, it is called with the scenarios of
// each part; it must not keep them.
func Read(dir string, each func([]verdict.Scope)) (reports.Input, error) {
	parts, err := record.OpenParts(dir)
	if err != nil {
		return reports.Input{}, fmt.Errorf("open run: %w", err)
	}
	defer parts.Close()
	var shown reports.Selection
	report, err := diagnose.ReportParts(parts, func(p *record.Part, scopes []verdict.Scope, r *verdict.Report) {
		shown.Add(p, parts.Len(), scopes, r)
		if each != nil {
			each(scopes)
		}
	})
	if err != nil {
		return reports.Input{}, fmt.Errorf("open run: %w", err)
	}
	again, folders, err := retries(dir)
	if err != nil {
		return reports.Input{}, err
	}
	report.Settle(parts.Run, again, folders)
	reports.Word(report)
	return shown.Input(parts.Run, report), nil
}
