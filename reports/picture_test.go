package reports

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	renderTo  = flag.String("render", "", "write the reports of the synthetic runs into this folder, to look at")
	pictureTo = flag.String("picture", "", "draw the picture of the README into this file")
)

// TestRender writes the pages that a person should look at after a change of
// template or style: go test ./reports -run TestRender -render DIR.
func TestRender(t *testing.T) {
	dir := *renderTo
	if dir == "" {
		dir = t.TempDir()
	}
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive(), "large": large(1000), "judged": judged(t)} {
		sub := filepath.Join(dir, name)
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := WriteAll(sub, in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPicture draws the picture of the README: go test ./reports -run TestPicture
// -picture testdata/report.png. Without the flag it only looks whether it is there
// and small.
func TestPicture(t *testing.T) {
	const most = 200 << 10
	path := *pictureTo
	if path == "" {
		path = filepath.Join("testdata", "report.png")
	} else {
		picture(t, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatalf("%v: draw it with -picture", err)
	}
	if info.Size() > most {
		t.Errorf("%s has %d bytes, more than %d", path, info.Size(), most)
	}
}

func picture(t *testing.T, path string) {
	ctx := browser(t)
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1120, Height: 1440, DeviceScaleFactor: 1})
	visit(t, ctx, pictured())
	eval[int](t, ctx, pictureScript)
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// pictureScript leaves on the page what shows best what a report is: verdict,
// cause and lanes.
const pictureScript = `[".tools", ".overview", ".scenario > summary .why", ".scenario .doc", ".scenario > .body > .facts", ".scenario .open", ".cause + .cause",
    ".cause h4:not(:last-of-type)", ".cause .evidence", ".cause .ruled", ".cause .note", "h3 ~ .note", ".scenario .legend"]
  .map(q => [...document.querySelectorAll(q)].map(e => e.remove())).length`
