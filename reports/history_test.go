package reports

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	comparing "github.com/streamproof/streamproof/harness/compare"
	"github.com/streamproof/streamproof/harness/harnesstest/nights"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
	"github.com/streamproof/streamproof/harness/verdict"
)

// ownNights is a history of thirty nights to read beside those that are kept.
var ownNights = flag.String("nights", "", "read the page of the history `FILE`, as 'make nights' makes it")

// pagesOf are thirty nights each, by how they came to be.
func pagesOf(t *testing.T) map[string][]history.Row {
	t.Helper()
	real, err := nights.Real()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]history.Row{"made up": nights.Rows(1), "real": real}
	if *ownNights != "" {
		db, err := history.OpenExisting(*ownNights)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if all["own"], err = db.Rows(history.Query{}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// planted is what the page says of what is planted, each at least once; it says nothing
// else. The longest silence of a stream may be that before its first event, and longer
// gaps are fewer tokens a second.
var planted = []struct{ must, may *regexp.Regexp }{
	{regexp.MustCompile(`^regression: chat: first event \+1\d %.*since run 1[678] of `),
		regexp.MustCompile(`^regression: chat: longest gap \+1\d %.*since run 1[678] of `)},
	{must: regexp.MustCompile(`^flaky: tools is flaky: `)},
	{regexp.MustCompile(`^drift: feed: longest gap drifts, \+`), regexp.MustCompile(`^drift: feed: tokens/s drifts, -`)},
	{must: regexp.MustCompile(`^outage: outage: .* in run 10 of `)},
}

// The page of thirty nights says what is planted in them: read by a browser, without
// script, at two widths, with nothing that overflows.
func TestHistoryPageInBrowser(t *testing.T) {
	ctx := browser(t)
	for name, rows := range pagesOf(t) {
		t.Run(name, func(t *testing.T) {
			found, shown := historyPageRead(t, ctx, rows)
			for _, p := range planted {
				if !slices.ContainsFunc(found, p.must.MatchString) {
					t.Errorf("%v is not in %q", p.must, found)
				}
				found = slices.DeleteFunc(found, func(s string) bool {
					return p.must.MatchString(s) || p.may != nil && p.may.MatchString(s)
				})
			}
			if len(found) > 0 {
				t.Errorf("something else is accused: %q", found)
			}
			if want := nights.Count * len(rows[0].Scenarios); shown != want {
				t.Errorf("%d verdicts are shown, want %d", shown, want)
			}
		})
	}
}

// historyPageRead is what a browser finds on the page of a history: the findings, and how
// many verdicts are shown.
func historyPageRead(t *testing.T, ctx context.Context, rows []history.Row) (found []string, shown int) {
	path := filepath.Join(t.TempDir(), "history.html")
	var b bytes.Buffer
	if err := HistoryHTML(&b, trend.Read(rows)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || b.Len() > 1<<20 {
		t.Errorf("a script, or %d bytes", b.Len())
	}
	const findings = `[...document.querySelectorAll('#findings li')]` +
		`.map(li => li.dataset.kind + ': ' + li.innerText.replaceAll('\n', ' '))`
	for _, width := range []int64{1400, 390} {
		call(t, ctx, emulation.SetDeviceMetricsOverride,
			emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
		if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
			t.Fatal(err)
		}
		found = eval[[]string](t, ctx, findings)
		shown = int(eval[float64](t, ctx, `document.querySelectorAll('.strip li').length`))
		if wide := eval[float64](t, ctx, `document.documentElement.scrollWidth`); wide > float64(width) {
			t.Errorf("%d px: the page is %.0f px wide", width, wide)
		}
	}
	return found, shown
}

// Whatever a history holds, a page has nothing of it that could run.
func TestHistoryIsHostile(t *testing.T) {
	t.Parallel()
	rows := nights.Rows(2)
	const evil = "<script>alert(1)</script>\x1b[31m"
	for i := range rows {
		rows[i].Commit, rows[i].Branch = evil, evil
		for j := range rows[i].Scenarios {
			rows[i].Scenarios[j].ID += evil
		}
	}
	var page, text, md bytes.Buffer
	r := comparing.Compare(comparing.Side{Name: evil, Rows: rows[:15]}, comparing.Side{Name: evil, Rows: rows[15:]}, comparing.Options{})
	t1, all := trend.Read(rows), []*comparing.Result{r}
	for _, err := range []error{HistoryHTML(&page, t1), CompareHTML(&page, all), TrendText(&text, t1), CompareText(&text, all), CompareMarkdown(&md, all)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if s := page.String(); strings.Contains(s, "<script") || strings.ContainsRune(s, '\x1b') {
		t.Error("the page has a script or an escape sequence of the history")
	}
	if strings.ContainsRune(text.String()+md.String(), '\x1b') {
		t.Error("the text has an escape sequence of the history")
	}
	if strings.Contains(md.String(), "<script") {
		t.Error("the Markdown has a script of the history")
	}
}

// What is worse comes first, and what is missing is said.
func TestComparisonInWords(t *testing.T) {
	t.Parallel()
	rows := nights.Rows(3)
	var b bytes.Buffer
	r := comparing.Compare(comparing.Side{Name: "before", Rows: rows[:nights.Outage]}, comparing.Side{Name: "after", Rows: rows[nights.Regression:]}, comparing.Options{})
	if err := CompareText(&b, []*comparing.Result{r}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "after is worse than before in ") || !strings.Contains(b.String(), "chat         first event") && !strings.Contains(b.String(), "chat") {
		t.Error(b.String())
	}
	b.Reset()
	r = comparing.Compare(comparing.Side{Name: "a", Rows: rows[:1]}, comparing.Side{Name: "b", Rows: rows[1:2]}, comparing.Options{})
	if err := CompareText(&b, []*comparing.Result{r}); err != nil || !strings.Contains(b.String(), "more runs of each would do") {
		t.Error(b.String(), err)
	}
}

// A trend does not claim more than its nights can show.
func TestTrendOfFewNights(t *testing.T) {
	t.Parallel()
	row := func(i int, x float64) history.Row {
		return history.Row{ID: int64(i + 1), Scenarios: []history.Scenario{{ID: "chat", Verdict: verdict.Pass,
			Metrics: map[string]history.Metric{history.FirstEvent: {N: 9, P50: x}}}}}
	}
	for n, want := range map[int]string{10: "too few nights to tell a step: 4 more", 13: "too few nights to tell a step: 1 more",
		30: "no regression in 30 runs", 320: "the newest 300 values of a series; up to 20 older ones are not read"} {
		var rows []history.Row
		for i := range n {
			rows = append(rows, row(i, 1+0.002*float64(i*7%5)))
		}
		var b bytes.Buffer
		if err := TrendText(&b, trend.Read(rows)); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%d nights: %v, %s", n, err, b.String())
		}
		if last := "A step in the last 2 nights cannot be told yet."; n == 30 && !strings.Contains(b.String(), last) {
			t.Errorf("%d nights: nothing of the last ones in %s", n, b.String())
		}
		if class, _ := trendHead(trend.Read(rows), nil); (class == "pass") != (n > 13) {
			t.Errorf("%d nights: %s", n, class)
		}
	}
}

// Nothing is as good as before where it cannot be compared.
func TestNothingComparable(t *testing.T) {
	t.Parallel()
	side := func(name string, machine history.Machine) comparing.Side {
		return comparing.Side{Name: name, Rows: []history.Row{{ID: 7, Machine: machine, Complete: true, Scenarios: []history.Scenario{{
			ID: "chat", Verdict: verdict.Pass, Started: 1000, Untouched: history.Rate{Judged: 1000, Complete: 1000},
			Metrics: map[string]history.Metric{history.FirstEvent: {N: 1000, P50: 1}}}}}}}
	}
	var b bytes.Buffer
	r := comparing.Compare(side("a", history.Machine{CPUs: 2}), side("b", history.Machine{Unknown: true}), comparing.Options{})
	if err := CompareText(&b, []*comparing.Result{r}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nothing shows that b is worse than a; 1 figure cannot be compared",
		"run 7 does not say which machine it ran on"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in %s", want, b.String())
		}
	}
}
