package scenarios

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	runErr := play.Run(ctx, o)
	var usage *harness.UsageError
	if errors.As(runErr, &usage) {
		return nil, runErr
	}
	if _, err := os.Stat(o.Dir); err != nil {
		return nil, errors.Join(runErr, err)
	}
	report, err := Judge(o.Dir)
	return report, errors.Join(runErr, err)
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
	reports.Word(report)
	return shown.Input(parts.Run, report), nil
}
