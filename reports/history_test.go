package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	comparing "github.com/streamproof/streamproof/harness/compare"
	"github.com/streamproof/streamproof/harness/harnesstest/nights"
	"github.com/streamproof/streamproof/harness/trend"
)

// The page of thirty nights says what is planted in them: read by a browser, without
// script, at two widths, with nothing that overflows.
func TestHistoryPageInBrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.html")
	var b bytes.Buffer
	if err := HistoryHTML(&b, trend.Read(nights.Rows(1))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || b.Len() > 1<<20 {
		t.Errorf("a script, or %d bytes", b.Len())
	}
	ctx := browser(t)
	var found []string
	var wide, shown float64
	const findings = `[...document.querySelectorAll('#findings li')].map(li => li.dataset.kind + ': ' + li.innerText)`
	for _, width := range []int64{1400, 390} {
		call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
		if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
			t.Fatal(err)
		}
		found = eval[[]string](t, ctx, findings)
		wide, shown = eval[float64](t, ctx, `document.documentElement.scrollWidth`), eval[float64](t, ctx, `document.querySelectorAll('.strip li').length`)
		if wide > float64(width) {
			t.Errorf("%d px: the page is %.0f px wide", width, wide)
		}
	}
	for _, want := range []string{"regression: chat: first event +1", "since run 17 of 2026-11-17", "flaky: tools is flaky", "drift: feed: longest gap drifts", "outage: outage: "} {
		if !strings.Contains(strings.Join(found, "\n"), want) {
			t.Errorf("%q is not in %q", want, found)
		}
	}
	if len(found) != 4 {
		t.Errorf("something else is accused: %q", found)
	}
	if want := nights.Count * (3 + len(nights.Sound)); int(shown) != want {
		t.Errorf("%.0f verdicts are shown, want %d", shown, want)
	}
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
