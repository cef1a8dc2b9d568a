package main

import (
	"os"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// TestModuleOfSDKsKeepsUp: the module that tries real clients, which no other test builds,
// needs this one, so that it cannot do with older versions than this one has.
func TestModuleOfSDKsKeepsUp(t *testing.T) {
	versions := func(path string) map[string]string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := modfile.Parse(path, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{"go": "v" + f.Go.Version}
		for _, r := range f.Require {
			all[r.Mod.Path] = r.Mod.Version
		}
		return all
	}
	own, sdks := versions("../../go.mod"), versions("../../harness/stream/sdktest/go.mod")
	shared := 0
	for module, has := range sdks {
		needs, ok := own[module]
		if !ok {
			continue
		}
		if shared++; semver.Compare(has, needs) < 0 {
			t.Errorf("%s is %s there and %s here: cd harness/stream/sdktest && go mod tidy", module, has, needs)
		}
	}
	if shared < 5 {
		t.Errorf("%d modules are shared: are these the right files?", shared)
	}
}
