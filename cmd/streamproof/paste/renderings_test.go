package paste

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// renderings are the functions of tests, by package, in which a report is made or
// worded; each hands it to [Report], or says why not.
var renderings = map[string]string{
	"scenarios.play":                     "",
	"scenarios.find":                     "",
	"scenarios.bounded":                  "",
	"scenarios.TestInMemoryShrink":       "",
	"scenarios.TestLoadWorkers":          "",
	"scenarios.TestKilledLoadWorker":     "",
	"scenarios.ExampleExecute":           "an example for readers, which prints one line",
	"scenarios.Example_scenario":         "likewise",
	"harness/diagnose.reportOf":          "",
	"harness/diagnose.judgedAndRendered": "",
	"harness/diagnose.inParts":           "",
	"reports.judged":                     "tests show it by rendered, which asks",
	"reports.longRun":                    "",
	"reports.TestTornRun":                "shows it by rendered",
	"reports.BenchmarkReport10000x100":   "a benchmark of what rendered asks about",
}

// makers are the calls that make a report.
var makers = map[string]bool{"diagnose.Report": true, "diagnose.ReportScopes": true, "diagnose.ReportParts": true,
	"scenarios.Execute": true, "scenarios.Judge": true}

// TestEveryRenderingIsAsked: in the tests that make reports, nobody makes one without
// asking whether what it prints can be pasted.
func TestEveryRenderingIsAsked(t *testing.T) {
	found := map[string]bool{}
	for _, dir := range []string{"scenarios", "harness/diagnose", "reports"} {
		files, err := filepath.Glob(filepath.Join("../../..", dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(err, files)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				makes, asks := looksInto(f)
				place := dir + "." + f.Name.Name
				why, listed := renderings[place]
				switch {
				case !makes:
					continue
				case !listed:
					t.Errorf("%s (%s) makes a report: hand it to paste.Report, and list it here", place, filepath.Base(name))
				case why == "" && !asks:
					t.Errorf("%s (%s) does not hand its report to paste.Report", place, filepath.Base(name))
				}
				found[place] = true
			}
		}
	}
	for place := range renderings {
		if !found[place] {
			t.Errorf("%s makes no report any more", place)
		}
	}
}

// looksInto reports whether a function makes a report, and whether it asks.
func looksInto(f *ast.FuncDecl) (makes, asks bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch fun := call.Fun.(type) {
		case *ast.SelectorExpr:
			if of, ok := fun.X.(*ast.Ident); ok {
				makes = makes || makers[of.Name+"."+fun.Sel.Name]
				asks = asks || of.Name == "paste"
			}
		case *ast.Ident:
			asks = asks || strings.HasPrefix(fun.Name, "pastable")
		}
		return true
	})
	return makes, asks
}
