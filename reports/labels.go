package reports

import "cmp"

// checkLabels say in plain words what a check asks, where its name, which programs
// and stored verdicts know, does not.
var checkLabels = map[string]string{
	"stack able":                            "can run here",
	"stack can do it":                       "can run here",
	"untouched streams complete":            "streams that were not hit complete",
	"victims in their body":                 "hit streams had started their body",
	"streams as prompt under load as alone": "streams as fast under load as alone",
	"silence seen":                          "a silence long enough to test",
	"clients that hold back":                "clients slow enough to test",
	"server's account of our hang-ups":      "the server noticed when clients hung up",
	"characters come through whole":         "characters arrive undamaged",
	"answers can be read":                   "responses can be read",
	"memory back to where it began":         "memory back to its level at the start",
	"recycled under streams":                "workers recycled while streams were open",
	"streams side by side":                  "streams of one process at the same time",
	"baseline complete":                     "streams before the fault complete",
	"control group seen":                    "streams beside the fault were seen",
}

// checkLabel is a check as a person reads it.
func checkLabel(name string) string { return cmp.Or(checkLabels[name], name) }
