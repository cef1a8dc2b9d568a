package reports

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdproto "github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserNames are looked for on PATH, in this order.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// requireBrowser makes a missing browser a failure: make test sets it, so that
// the test is not lost unseen.
const requireBrowser = "STREAMPROOF_REQUIRE_CHROMIUM"

// browser returns a context of a headless Chromium that ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range browserNames {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing := "no browser: none of " + strings.Join(browserNames, ", ") + " is on PATH"
		if os.Getenv(requireBrowser) == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	// Generous: a machine that is busy elsewhere is slow.
	alloc, expire := context.WithTimeout(alloc, 3*time.Minute)
	ctx, quit := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop %s: %v", path, err)
		}
		quit()
		expire()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// A watch collects what a page does beyond showing itself.
type watch struct {
	mu       sync.Mutex
	requests []string
	errors   []string
}

func (w *watch) see(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, ev.Request.URL)
	case *runtime.EventExceptionThrown:
		w.errors = append(w.errors, ev.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.errors = append(w.errors, fmt.Sprintf("console.%s", ev.Type))
	case *log.EventEntryAdded:
		w.errors = append(w.errors, ev.Entry.Text)
	case *cdp.EventJavascriptDialogOpening:
		w.errors = append(w.errors, "dialog: "+ev.Message)
	}
}

// check fails for errors, and for requests but that of the page and of data in it.
func (w *watch) check(t *testing.T, url string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.errors {
		t.Errorf("the page says: %s", e)
	}
	for _, r := range w.requests {
		if r != url && !strings.HasPrefix(r, "data:") {
			t.Errorf("the page asks for %s", r)
		}
	}
	if len(w.requests) == 0 {
		t.Error("not even the page itself was seen to be asked for: the watch is blind")
	}
}

// visit writes the report of in and opens it.
func visit(t *testing.T, ctx context.Context, in Input) (url string) {
	t.Helper()
	dir := t.TempDir()
	if err := WriteAll(dir, in); err != nil {
		t.Fatal(err)
	}
	url = "file://" + filepath.Join(dir, HTMLFile)
	load(t, ctx, url)
	return url
}

// load opens a page and waits for it.
func load(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		t.Fatal(err)
	}
}

// eval returns what an expression is on the page.
func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("evaluate %.60s: %v", expression, err)
	}
	return v
}

// call sends a command to the tab.
func call[P, R any](t *testing.T, ctx context.Context, cmd cdproto.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, cmd, params); err != nil {
		t.Fatalf("call %s: %v", cmd.Method, err)
	}
}

func TestBrowser(t *testing.T) {
	ctx := browser(t)
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive(), "hostile": hostile()} {
		t.Run(name, func(t *testing.T) {
			for _, scripts := range []bool{true, false} {
				t.Run(fmt.Sprintf("scripts=%v", scripts), func(t *testing.T) { look(t, ctx, in, scripts) })
			}
		})
	}
}

// look opens a report in a tab of its own and reads what a person sees.
func look(t *testing.T, browser context.Context, in Input, scripts bool) {
	var w watch
	ctx, done := chromedp.NewContext(browser, chromedp.WithListener(w.see))
	defer done()
	call(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 900, DeviceScaleFactor: 1, Mobile: true})
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, log.Enable, cdproto.Empty{})
	url := visit(t, ctx, in)
	got, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#verdict"), chromedp.NodeVisible))
	if err != nil {
		t.Fatal(err)
	}
	if want := shout(in.Report.Verdict); got != want {
		t.Errorf("verdict reads %q, want %q", got, want)
	}
	text := eval[string](t, ctx, `document.querySelector("main").textContent`)
	for _, s := range in.Report.Scenarios {
		if !strings.Contains(text, s.ID) {
			t.Errorf("nothing is said of scenario %s", s.ID)
		}
	}
	if eval[int](t, ctx, `document.querySelectorAll("svg.lanes g path.b").length`) == 0 {
		t.Error("no lane is drawn")
	}
	buttons := eval[int](t, ctx, `document.querySelectorAll("button").length`)
	if (buttons > 0) != scripts {
		t.Errorf("%d buttons with scripts=%v: a button that does nothing must not be there", buttons, scripts)
	}
	for _, width := range []int64{390, 1400} {
		call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
		for _, wide := range eval[[]string](t, ctx, wideScript) {
			t.Errorf("wider than a window of %d px: %.200s", width, wide)
		}
	}
	w.check(t, url)
}

// wideScript lists what sticks out of a page that is wider than its window.
const wideScript = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > width && !e.closest(".scroll, .lanebox"))
    .map(e => e.tagName + "." + e.getAttribute("class") + " " + e.textContent);
})()`

// TestBrowserLinks: every link leads somewhere, and no two places have one name.
func TestBrowserLinks(t *testing.T) {
	ctx := browser(t)
	visit(t, ctx, failing())
	dead := eval[[]string](t, ctx, `[...document.querySelectorAll("a[href^='#']")].map(a => a.getAttribute("href").slice(1)).filter(id => !document.getElementById(id))`)
	twice := eval[[]string](t, ctx, `[...document.querySelectorAll("[id]")].map(e => e.id).filter((id, i, all) => all.indexOf(id) != i)`)
	if len(dead) > 0 || len(twice) > 0 {
		t.Errorf("links to nowhere: %v; names given twice: %v", dead, twice)
	}
}

// TestBrowserFilter uses the page as a person does: pick failed ones, follow a
// cell of the matrix into a folded scenario.
func TestBrowserFilter(t *testing.T) {
	ctx := browser(t)
	visit(t, ctx, failing())
	const visible = `[...document.querySelectorAll("details.scenario")].filter(e => e.offsetParent !== null).length`
	click := func(css string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)); err != nil {
			t.Fatalf("click %s: %v", css, err)
		}
	}
	if n := eval[int](t, ctx, visible); n != 4 {
		t.Errorf("%d scenarios, want 4", n)
	}
	click(`button[data-pick="fail"]`)
	if n := eval[int](t, ctx, visible); n != 1 {
		t.Errorf("%d scenarios after picking the failed ones, want 1", n)
	}
	click(`button[data-pick=""]`)
	click(`.matrix a[href="#control--outcomes-add-up"]`)
	if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#control--outcomes-add-up"))); err != nil {
		t.Errorf("the cell did not lead to its evidence: %v", err)
	}
}

// TestPrint: paper is for the summary and the causes, on two pages, with or
// without scripts.
func TestPrint(t *testing.T) {
	ctx := browser(t)
	call(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	visit(t, ctx, failing())
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	for what, expression := range map[string]string{
		"the causes are shown":       `document.querySelector(".causes .fix pre").getBoundingClientRect().height > 20`,
		"the scenarios are left out": `[...document.querySelectorAll(".scenario")].every(e => e.getBoundingClientRect().height === 0)`,
		"the table is shown":         `document.querySelector(".overview").getBoundingClientRect().height > 50`,
		"the command is shown":       `document.querySelector(".plan pre").getBoundingClientRect().height > 10`,
	} {
		if !eval[bool](t, ctx, expression) {
			t.Errorf("not true in print: %s", what)
		}
	}
	if n := bytes.Count(printed(t, ctx), []byte("/Type /Page\n")); n < 1 || n > 2 {
		t.Errorf("%d pages, want 1 or 2", n)
	}
}

// paperWidths are those of A4 at 96 dpi, without margins and with those of a browser's
// own (1 cm), in px.
var paperWidths = []int64{794, 718}

// TestPrintIsAsWideAsPaper: nothing sticks out of the page on paper, and nothing there
// would have to be scrolled.
func TestPrintIsAsWideAsPaper(t *testing.T) {
	ctx := browser(t)
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive(),
		"hostile": hostile(), "judged": judged(t)} {
		t.Run(name, func(t *testing.T) {
			visit(t, ctx, in)
			call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			for _, width := range paperWidths {
				call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 1123,
					DeviceScaleFactor: 1})
				for _, wide := range eval[[]string](t, ctx, widePaperScript) {
					t.Errorf("wider than paper of %d px: %.200s", width, wide)
				}
				if eval[int](t, ctx, `document.querySelector("main").getBoundingClientRect().width`) < 500 {
					t.Errorf("at %d px the page is not laid out", width)
				}
			}
		})
	}
}

// widePaperScript lists what sticks out to the right of the page, text in boxes that a
// screen would scroll among it. SVG clips itself and scales, and .vh is for screen readers.
const widePaperScript = `(() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("main *")]
    .filter(e => !e.closest("svg, .vh") && e.getClientRects().length > 0 &&
      (e.getBoundingClientRect().right > width + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).overflowX !== "visible"))
    .map(e => e.tagName + "." + e.getAttribute("class") + " " + Math.round(e.getBoundingClientRect().right) + "/" + e.scrollWidth + " " + e.textContent);
})()`

// printed is the page as a PDF on A4.
func printed(t *testing.T, ctx context.Context) []byte {
	t.Helper()
	out, err := chromedp.Call(ctx, cdp.PrintToPDF, cdp.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
	if err != nil {
		t.Fatal(err)
	}
	return out.Data
}
