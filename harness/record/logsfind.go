package record

import (
	"errors"
	"io"
	"os"
	"path"
)

// readLogs reads the logs that were entered, and those that a killed run had no
// time to enter. One that cannot be read is a doubt, not the end of the reading.
func (r *reading) readLogs(root *os.Root) error {
	found, err := strayLogs(root, r.logs)
	if err != nil {
		return err
	}
	for _, e := range append(r.logs, found...) {
		logs, err := r.readLog(root, e)
		if err != nil {
			r.run.Notes = append(r.run.Notes, Note{Scenario: e.Scenario, At: Never, Kind: NoteDoubt, Text: err.Error(),
				Settle: "make the file readable and judge the run again"})
		}
		r.run.Logs = append(r.run.Logs, logs...)
	}
	return nil
}

// strayLogs lists the files below logs that no entry names. Their content says
// what they are.
func strayLogs(root *os.Root, entered []logEntry) (stray []logEntry, err error) {
	known := map[string]bool{}
	for _, e := range entered {
		known[e.Scenario+"/"+e.Name] = true
	}
	scenarios, err := readDir(root, logsFolder)
	if err != nil {
		return nil, err
	}
	for _, sc := range scenarios {
		if !sc.IsDir() {
			continue
		}
		files, err := readDir(root, path.Join(logsFolder, sc.Name()))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if f.Type().IsRegular() && !known[sc.Name()+"/"+f.Name()] {
				stray = append(stray, logEntry{Scenario: sc.Name(), Name: f.Name()})
			}
		}
	}
	return stray, nil
}

// readDir lists a folder; one that is not there is empty.
func readDir(root *os.Root, name string) ([]os.DirEntry, error) {
	f, err := root.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return list, nil
}
