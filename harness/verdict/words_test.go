package verdict

import "github.com/streamproof/streamproof/harness/record"

// shown is a fact as tests compare it: its kind and figures, "" for none.
func shown(f *record.Fact) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// decided is the fact that decided the verdict on a scenario, "" for a pass.
func decided(r *ScenarioReport) string {
	if c := r.Decided(); c != nil {
		return shown(c.Fact)
	}
	return ""
}
