package reports

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	renderTo  = flag.String("render", "", "write the reports of the synthetic runs into this folder, to look at")
	pictureTo = flag.String("picture", "", "draw the picture of the README into this file")
	shotsTo   = flag.String("shots", "", "draw a page for a window, a phone and paper into files of this prefix")
	pageOf    = flag.String("page", "", "the page that -shots draws")
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

// squeezed writes a picture again as small as PNG can be: with the 256 colours
// that it has most of, all others as the nearest of these.
func squeezed(t *testing.T, shot []byte) []byte {
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.Color]int{}
	box := img.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[img.At(x, y)]++
		}
	}
	common := make(color.Palette, 0, len(count))
	for c := range count {
		common = append(common, c)
	}
	slices.SortFunc(common, func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	common = common[:min(len(common), 256)]
	out, nearest := image.NewPaletted(box, common), map[color.Color]uint8{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := img.At(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(common.Index(c))
				nearest[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestShots draws a page as it is seen: in a wide window, on a phone and on paper.
// testdata/shots holds the same failing run as it was shown before and after
// causes came first:
//
//	go test ./reports -run TestRender -render DIR
//	go test ./reports -run TestShots -shots $PWD/reports/testdata/shots/after -page DIR/fail/report.html
//
// Without the flags it only looks whether the pictures are there and small.
func TestShots(t *testing.T) {
	if *shotsTo != "" {
		ctx := browser(t)
		for name, width := range map[string]int64{"1400": 1400, "390": 390, "print": 794} { // A4 at 96 dpi
			media := "screen"
			if name == "print" {
				media = "print"
			}
			call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
			size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1}
			call(t, ctx, emulation.SetDeviceMetricsOverride, size)
			load(t, ctx, "file://"+*pageOf)
			size.Height = min(eval[int64](t, ctx, `document.documentElement.scrollHeight`), 2400)
			call(t, ctx, emulation.SetDeviceMetricsOverride, size)
			shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(*shotsTo+"-"+name+".png", squeezed(t, shot), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	const most = 200 << 10
	for _, when := range []string{"before", "after"} {
		for _, name := range []string{"1400", "390", "print"} {
			info, err := os.Stat(filepath.Join("testdata", "shots", when+"-"+name+".png"))
			if err != nil {
				t.Error(err)
			} else if info.Size() > most {
				t.Errorf("%s has %d bytes, more than %d", info.Name(), info.Size(), most)
			}
		}
	}
}

// pictureScript leaves on the page what shows best what a report is, verdict,
// causes and lanes, and returns where the lanes end.
const pictureScript = `[".tools", ".edge", ".card.first", ".meaning", ".overview", ".hero .facts div:nth-child(n+4)", ".scenario .doc", ".scenario > .body > .facts", ".cause h4:has(+ .ruled)", ".cause .ruled",
    ".cause .note", "h3 ~ .note", ".phases", ".scenario .cause", ".scenario .others", ".causes .cause:nth-of-type(n+2)", ".copybtn"]
  .forEach(q => document.querySelectorAll(q).forEach(e => e.remove()));
Math.ceil(document.querySelector(".lanebox").getBoundingClientRect().bottom)`
