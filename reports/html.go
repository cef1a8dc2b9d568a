package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed html
var files embed.FS

// The parts of the page are one template each, named after their file.
var templates = template.Must(template.New("").ParseFS(files, "html/*.tmpl"))

var (
	style  = template.CSS(mustRead("html/style.css"))
	script = template.JS(mustRead("html/report.js"))
	// policy lets the page do nothing but show itself: no request, and no script
	// but ours. Should a string of a server ever get past the escaping, it still
	// runs nothing (CSP level 3, sections 6.1 and 8.3).
	policy = fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-%s'; "+
		"base-uri 'none'; form-action 'none'", digest(string(script)))
)

// HTML writes report.html: one page that needs nothing else, complete without
// JavaScript, which only filters, copies and unfolds.
func HTML(w io.Writer, in Input) error {
	in, cut := in.safe()
	p := newPage(in, cut)
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "page.tmpl", p); err != nil {
		return fmt.Errorf("render report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func mustRead(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return string(b)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
