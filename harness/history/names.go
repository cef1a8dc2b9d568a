package history

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A NameError says that no run has a name.
type NameError struct {
	Name string
	Have []string // names that there are
}

func (e *NameError) Error() string {
	return fmt.Sprintf("no run in the history is called %q", e.Name)
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{4,40}$`)

// Find returns the runs that a name means, oldest first, of rows in their order:
//
//	latest      the newest run; latest~2 the one two before it
//	#12         run 12
//	main        the runs of the newest commit of the branch main; main~1 those of the
//	            commit before it
//	3f2a91c     the runs of a commit, by 4 or more of its first digits
//	v1.4        the runs of a version of the app
func Find(rows []Row, name string) ([]Row, error) {
	base, back := name, 0
	if i := strings.LastIndexByte(name, '~'); i > 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n >= 0 {
			base, back = name[:i], n
		}
	}
	if base == "latest" && back < len(rows) {
		at := len(rows) - 1 - back
		return rows[at : at+1], nil
	}
	if n, err := strconv.ParseInt(strings.TrimPrefix(base, "#"), 10, 64); err == nil && strings.HasPrefix(base, "#") {
		return filter(rows, name, func(r Row) bool { return r.ID == n })
	}
	if commits := commitsOf(rows, base); len(commits) > 0 {
		if back >= len(commits) {
			return nil, nameError(rows, name)
		}
		commit := commits[len(commits)-1-back]
		return filter(rows, name, func(r Row) bool { return r.Branch == base && r.Commit == commit })
	}
	if back > 0 {
		return nil, nameError(rows, name)
	}
	return filter(rows, name, func(r Row) bool {
		return commitForm.MatchString(base) && strings.HasPrefix(r.Commit, base) || base != "" && r.AppVersion == base
	})
}

// commitsOf are the commits of a branch in the order in which they were last run.
func commitsOf(rows []Row, branch string) []string {
	var commits []string
	for _, r := range rows {
		if r.Branch == branch && branch != "" {
			commits = slices.DeleteFunc(commits, func(c string) bool { return c == r.Commit })
			commits = append(commits, r.Commit)
		}
	}
	return commits
}

func filter(rows []Row, name string, wanted func(Row) bool) ([]Row, error) {
	found := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !wanted(r) })
	if len(found) == 0 {
		return nil, nameError(rows, name)
	}
	return found, nil
}

func nameError(rows []Row, name string) error { return &NameError{name, Names(rows)} }

// Names are names that [Find] knows: latest, branches and commits, newest first.
func Names(rows []Row) []string {
	if len(rows) == 0 {
		return nil
	}
	names := []string{"latest"}
	for _, r := range slices.Backward(rows) {
		for _, n := range []string{r.Branch, Short(r.Commit), r.AppVersion} {
			if n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}
