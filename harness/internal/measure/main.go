// Command measure prints the figures of a source tree: how large it is, how its
// rooms lie, how long its functions and files are, and how much of it is comment
// and test.
//
//  1. [readSource] counts lines, comments and functions of every Go file
//     (source.go).
//  2. [readRooms] draws the graph of who refers to whom (rooms.go), and finds the
//     references that go back up.
//  3. [house.rows] makes the table of both: before the redesign, now, wanted
//     (table.go).
//
// It informs and judges nothing: its exit code is 0 however large the tree is, 1
// where the tree cannot be read and 2 where the command line cannot.
//
//	go run ./harness/internal/measure            # the tree at hand
//	go run ./harness/internal/measure -up        # and every reference that goes back up
//	go run ./harness/internal/measure -json      # the figures of the tree alone
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// A house is a source tree in figures.
type house struct {
	source
	rooms
}

func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("measure", flag.ContinueOnError)
	fs.SetOutput(stderr)
	dir := fs.String("dir", ".", "the module's folder")
	single := fs.String("single", "harness", "folder of the package whose files count as rooms of their own")
	up := fs.Bool("up", false, "list the references that go back up")
	asJSON := fs.Bool("json", false, "print the figures as JSON")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	h, err := measure(*dir, *single)
	if err == nil {
		err = h.print(stdout, *asJSON, *up)
	}
	if err != nil {
		fmt.Fprintf(stderr, "measure: %v\n", err)
		return 1
	}
	return 0
}

// measure reads the module in dir. The files of the package in the folder single
// count as rooms of their own.
func measure(dir, single string) (house, error) {
	src, err := readSource(dir)
	if err != nil {
		return house{}, fmt.Errorf("read source: %w", err)
	}
	r, err := readRooms(dir, single)
	if err != nil {
		return house{}, fmt.Errorf("read imports: %w", err)
	}
	return house{src, r}, nil
}

func (h house) print(w io.Writer, asJSON, up bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(h)
	}
	if err := h.table(w); err != nil || !up {
		return err
	}
	for _, r := range h.Back {
		if _, err := fmt.Fprintf(w, "up: %s → %s\n", r.From, r.To); err != nil {
			return err
		}
	}
	return nil
}
