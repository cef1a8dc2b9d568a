package reports

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestContrast measures the colours of text against what they stand on, in both
// schemes: at least 4.5 to 1 (WCAG 2.2, success criterion 1.4.3).
func TestContrast(t *testing.T) {
	ctx := browser(t)
	visit(t, ctx, failing())
	for _, scheme := range []string{"light", "dark"} {
		call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		for _, poor := range eval[[]string](t, ctx, contrastScript) {
			t.Errorf("%s: %s", scheme, poor)
		}
	}
}

// contrastScript lists texts with too little contrast.
const contrastScript = `(() => {
  const parse = c => (c.match(/[\d.]+/g) || []).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const ground = el => {
    for (; el; el = el.parentElement) {
      const c = parse(getComputedStyle(el).backgroundColor);
      if (c.length && (c.length < 4 || c[3] === 1)) return c;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const el of document.querySelectorAll("main *")) {
    const own = [...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || el.tagName === 'title' || el.offsetParent === null && !el.ownerSVGElement) continue;
    const style = getComputedStyle(el);
    const a = lum(parse(el.ownerSVGElement ? style.fill : style.color)), b = lum(ground(el));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.add(el.tagName + "." + el.getAttribute("class") + " " + ratio.toFixed(2));
  }
  return [...poor];
})()`
