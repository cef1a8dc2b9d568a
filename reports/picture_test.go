package reports

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	renderTo  = flag.String("render", "", "write the reports of the synthetic runs into this folder, to look at")
	pictureTo = flag.String("picture", "", "draw the picture of the README into this file")
	pictureOf = flag.String("of", "", "the run folder that -picture is drawn from")
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

// TestPicture draws the picture of the README from a real run, whose file is
// testdata/picture.yaml:
//
//	streamproof run -f reports/testdata/picture.yaml --seed 42 -o runs/picture
//	go test ./reports -run TestPicture -picture testdata/report.png -of $PWD/runs/picture
//
// Without the flags it only looks whether the picture is there and small.
func TestPicture(t *testing.T) {
	const most = 200 << 10
	path := *pictureTo
	if path == "" {
		path = filepath.Join("testdata", "report.png")
	} else {
		picture(t, path, *pictureOf)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatalf("%v: draw it with -picture", err)
	}
	if info.Size() > most {
		t.Errorf("%s has %d bytes, more than %d", path, info.Size(), most)
	}
}

func picture(t *testing.T, path, dir string) {
	ctx := browser(t)
	size := emulation.SetDeviceMetricsOverrideParams{Width: 1120, Height: 1600, DeviceScaleFactor: 1}
	call(t, ctx, emulation.SetDeviceMetricsOverride, size)
	load(t, ctx, "file://"+filepath.Join(dir, HTMLFile))
	size.Height = eval[int64](t, ctx, pictureScript) + 24
	call(t, ctx, emulation.SetDeviceMetricsOverride, size)
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, squeezed(t, shot), 0o644); err != nil {
		t.Fatal(err)
	}
}

// squeezed writes a picture again as small as PNG can be: a browser is in a hurry.
func squeezed(t *testing.T, shot []byte) []byte {
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pictureScript leaves on the page what shows best what a report is, verdict,
// cause and lanes, and returns where the lanes end.
const pictureScript = `[".tools", ".edge", ".card.first", ".meaning", ".overview", ".hero .facts div:nth-child(n+4)", ".scenario .doc", ".scenario > .body > .facts", ".cause h4:has(+ .ruled)", ".cause .ruled",
    ".cause .note", "h3 ~ .note", ".phases", ".scenario .legend"]
  .forEach(q => document.querySelectorAll(q).forEach(e => e.remove()));
Math.ceil(document.querySelector(".lanebox").getBoundingClientRect().bottom)`
