package history

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/scratch"
)

// A Damage says what of a file could not be read.
type Damage struct {
	Path string
	Read int   // rows that are served
	Lost []int // IDs of rows that are not, as far as the file tells
	Why  string

	given int64 // the last ID that was given, as far as the file tells
}

func (d *Damage) Error() string {
	lost := "nobody can tell how many more there were"
	if len(d.Lost) > 0 {
		lost = fmt.Sprintf("%d cannot: %v", len(d.Lost), d.Lost[:min(len(d.Lost), 10)])
	}
	return fmt.Sprintf("history %s is damaged (%s): %s can be read, %s", d.Path, d.Why, plural.Of(d.Read, "run"), lost)
}

// damaged reports whether SQLite says that the file is broken.
func damaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return true
	}
	return e.Code() == lib.SQLITE_IOERR_SHORT_READ || e.Code() == lib.SQLITE_ERROR && missingTable(e)
}

// missingTable is what a file says whose first page lost our table.
func missingTable(e *sqlite.Error) bool {
	return e.Error() == "SQL logic error: no such table: runs (1)"
}

func plainly(err error) string {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_NOTADB {
		return headLost
	}
	return "pages of the file are missing or overwritten"
}

const headLost = "its head is overwritten"

// magic is how SQLite's files begin.
const magic = "SQLite format 3\x00"

// sniff refuses a file of somebody else, before SQLite may write to it. Where the head of
// one of ours is gone it returns a copy that can be read.
func sniff(path string) (*copied, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, 72)
	n, _ := io.ReadFull(f, head) // a short file shows in its bytes
	is := min(n, len(magic))
	begins := string(head[:is]) == magic[:is]
	// Our mark is in the file from the second page on (fileformat2.html, section 1.3).
	if begins && (info.Size() <= pageSize || binary.BigEndian.Uint32(head[68:]) == application) {
		return nil, nil
	}
	if mended, err := mend(path); err != nil || mended != nil {
		return mended, err
	}
	if begins {
		return nil, &ForeignError{path, "it is a database of another program"}
	}
	return nil, &ForeignError{path, "it does not begin as SQLite's files do"}
}

// pageSize is that of our files, SQLite's own since 3.12.
const pageSize = 4096

// A copied is a copy of a history in a folder of its own, which goes with it.
type copied struct {
	path   string
	folder *scratch.Folder
}

// mend makes a copy of a file with the first page of a new history, which only says where
// the tables begin: it is the same in all. The copy is nil where no row comes out of it
// whose checksum is right; such a file is none of ours.
func mend(path string) (*copied, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() < 2*pageSize {
		return nil, err
	}
	dir, err := scratch.Dir("history")
	if err != nil {
		return nil, err
	}
	to := filepath.Join(dir.Path, "history.db")
	rows := 0
	if err = transplant(path, to); err == nil {
		got, _ := (&DB{path: path}).salvage(to, headLost) // the damage is told by whoever reads it
		rows = len(got)
	}
	if err != nil || rows == 0 {
		return nil, errors.Join(err, dir.Remove())
	}
	return &copied{to, dir}, nil
}

// transplant copies a file and what SQLite keeps beside it, with the first page of a new
// history.
func transplant(path, to string) error {
	fresh := &DB{path: to}
	if err := fresh.connect(); err != nil {
		return err
	}
	if err := fresh.Close(); err != nil {
		return err
	}
	head, err := os.ReadFile(to)
	if err != nil || len(head) < pageSize {
		return errors.Join(err, errors.New("make history: a new one has no page"))
	}
	if err := copyFile(path, to); err != nil {
		return err
	}
	if err := copyFile(path+"-wal", to+"-wal"); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	// Bytes 28 to 31 of the head are the number of pages. 0 lets SQLite go by the length
	// of the file (fileformat2.html, section 1.3.8).
	head = head[:pageSize]
	clear(head[28:32])
	_, err = f.WriteAt(head, 0)
	return errors.Join(err, f.Close())
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// beyond is how many IDs behind the last one that was read are tried.
const beyond = 1000

// salvage reads row by row from the file, or a copy of it: a page that is gone takes its
// own rows and no others.
func (d *DB) salvage(from, why string) ([]Row, error) {
	got, broken := map[int64]Row{}, map[int64]bool{}
	take := func(id int64, body, sum []byte) {
		r, err := unpack(id, body, sum)
		if broken[id] = err != nil; err == nil {
			got[id] = r
		}
	}
	// A connection of its own, that only reads: without writable_schema SQLite serves
	// nothing of a file that is shorter than its head says.
	db, err := sql.Open("sqlite", uri(from, "?_pragma=writable_schema(1)&_pragma=query_only(1)"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var last int64
	for _, order := range []string{"ASC", "DESC"} {
		_ = each(db, "SELECT id, body, sum FROM runs ORDER BY id "+order, take) // as far as it goes
	}
	for id := range got {
		last = max(last, id)
	}
	known := given(db)
	for id := int64(1); id <= max(last+beyond, known); id++ {
		if _, ok := got[id]; !ok {
			// Where all pages on the way to a row are whole and there is none, it was pruned.
			err := each(db, "SELECT id, body, sum FROM runs WHERE id = "+fmt.Sprint(id), take)
			broken[id] = broken[id] || err != nil
		}
	}
	damage := &Damage{Path: d.path, Read: len(got), Why: why, given: max(known, last)}
	var rows []Row
	for id := int64(1); id <= max(known, last); id++ {
		if r, ok := got[id]; ok {
			rows = append(rows, r)
		} else if broken[id] {
			damage.Lost = append(damage.Lost, int(id))
		}
	}
	return rows, damage
}

// given is the last ID that was given; 0 where the file does not tell any more.
func given(db *sql.DB) (id int64) {
	if db.QueryRow("SELECT seq FROM sqlite_sequence").Scan(&id) != nil {
		return 0
	}
	return id
}

// renew puts a damaged file aside, and moves what can be read of it, and r, to a new
// one in its place. Nobody appends meanwhile.
func (d *DB) renew(r Row, same func(*Row) bool) (id int64, added bool, err error) {
	unlock, err := lock(d.path, true)
	if err != nil {
		return 0, false, err
	}
	defer unlock()
	if now, err := os.Stat(d.path); err != nil || !os.SameFile(d.file, now) {
		// Another writer was faster: its file is whole.
		if err := d.follow(); err != nil {
			return 0, false, err
		}
		return d.insert(r, same)
	}
	rows, err := d.read()
	var damage *Damage
	if !errors.As(err, &damage) {
		if err != nil {
			return 0, false, err
		}
		damage = &Damage{Path: d.path, Read: len(rows), Why: "it takes no further runs", given: given(d.db)}
	}
	r.ID = max(r.ID, damage.given+1) // no number is given twice
	for _, lost := range damage.Lost {
		r.ID = max(r.ID, int64(lost)+1)
	}
	fresh, id, added, err := d.rewrite(rows, r, same)
	if err != nil {
		return 0, false, err
	}
	aside, err := d.replace(fresh)
	if err != nil {
		return 0, false, err
	}
	damage.Why += "; it is kept as " + aside
	return id, added, errors.Join(damage, d.connect())
}

// rewrite makes a new file beside the old one, of its rows and r.
func (d *DB) rewrite(rows []Row, r Row, same func(*Row) bool) (fresh string, id int64, added bool, err error) {
	// Those of writers that were killed here have nothing that is not in the old file.
	d.sweep()
	fresh = fmt.Sprintf("%s.new-%d", d.path, os.Getpid())
	to := &DB{path: fresh}
	if err = to.connect(); err != nil {
		d.sweep()
		return "", 0, false, err
	}
	for i := 0; i < len(rows) && err == nil; i++ {
		_, _, err = to.insert(rows[i], func(*Row) bool { return false })
		r.ID = max(r.ID, rows[i].ID+1)
	}
	if err == nil {
		id, added, err = to.insert(r, same)
	}
	// The last to close puts all into one file.
	if err = errors.Join(err, to.Close()); err != nil {
		d.sweep()
		return "", 0, false, err
	}
	return fresh, id, added, nil
}

// sweep removes new files that did not come to be.
func (d *DB) sweep() {
	left, _ := filepath.Glob(d.path + ".new-*") // fails on bad patterns only, and then there are none
	for _, path := range left {
		os.Remove(path)
	}
}

// replace keeps the file under another name and puts fresh in its place, in one step:
// whoever is killed here leaves a history behind.
func (d *DB) replace(fresh string) (aside string, err error) {
	if d.db != nil {
		// What lies in the file beside moves into the old one, as far as that goes.
		_, _ = d.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err := d.Close(); err != nil {
		return "", err
	}
	aside = fmt.Sprintf("%s.damaged-%s", d.path, time.Now().UTC().Format("20060102T150405.000"))
	if err := os.Link(d.path, aside); err != nil {
		if err := copyFile(d.path, aside); err != nil { // not every file system has links
			return "", fmt.Errorf("keep damaged history: %w", err)
		}
	}
	// They would be taken for the new file's.
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Rename(d.path+end, aside+end); err != nil && !os.IsNotExist(err) {
			return "", err
		}
	}
	return aside, os.Rename(fresh, d.path)
}
