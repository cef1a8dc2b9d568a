package history

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Schema is the version of the file. A file with a later one is refused.
const Schema = 1

// application marks our files among SQLite's: "strp".
const application = 0x73747270

// A NewerError says that the file was written by a later version.
type NewerError struct {
	Path   string
	Schema int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("history %s was written by a newer streamproof (schema %d, this one reads up to %d)", e.Path,
		e.Schema, Schema)
}

// A ForeignError says that the file is no history.
type ForeignError struct{ Path, What string }

func (e *ForeignError) Error() string {
	return "file " + e.Path + " is no history of streamproof: " + e.What
}

// A Damage says what of a file could not be read.
type Damage struct {
	Path string
	Read int   // rows that are served
	Lost []int // IDs of rows that are not, as far as the file tells
	Why  string
}

func (d *Damage) Error() string {
	lost := "nobody can tell how many more there were"
	if len(d.Lost) > 0 {
		lost = fmt.Sprintf("%d cannot: %v", len(d.Lost), d.Lost[:min(len(d.Lost), 10)])
	}
	return fmt.Sprintf("history %s is damaged (%s): %d runs can be read, %s", d.Path, d.Why, d.Read, lost)
}

// A DB is an open history.
type DB struct {
	path string
	db   *sql.DB
}

// busyFor is how long a writer waits for another one.
const busyFor = 30 * time.Second

// Open opens a history, and makes one where there is no file. The error is a
// [*NewerError], a [*ForeignError], or one of the system.
func Open(path string) (*DB, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &ForeignError{path, "it is a folder"}
	} else if err == nil && info.Size() > 0 {
		if err := sniff(path); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	d := &DB{path: path}
	if err := d.connect(); err != nil {
		return nil, err
	}
	return d, nil
}

// OpenExisting is [Open] for a file that must be there.
func OpenExisting(path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return Open(path)
}

// sniff refuses a file that SQLite never wrote. A history whose head is damaged is one
// too, so the mark of ours further on counts as well.
func sniff(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 72)
	n, _ := f.Read(head) // a short file shows in its bytes
	if n < 16 || string(head[:16]) != "SQLite format 3\x00" {
		return &ForeignError{path, "it does not begin as SQLite's files do"}
	}
	return nil
}

// pragmas of each connection: each commit is on the disk before Append returns.
const pragmas = "?_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

func (d *DB) connect() error {
	db, err := sql.Open("sqlite", d.uri(fmt.Sprintf(pragmas, busyFor.Milliseconds())))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	d.db = db
	if err := d.prepare(); err != nil && !damaged(err) {
		return errors.Join(err, db.Close())
	}
	return nil
}

func (d *DB) uri(query string) string {
	return "file:" + (&url.URL{Path: d.path}).EscapedPath() + query
}

// prepare makes the table, or checks whose file it is.
func (d *DB) prepare() error {
	var app, version, tables int
	if err := d.db.QueryRow("SELECT (SELECT application_id FROM pragma_application_id), "+
		"(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)").Scan(&app, &version,
		&tables); err != nil {
		return fmt.Errorf("open history %s: %w", d.path, err)
	}
	switch {
	case app == application && version > Schema:
		return &NewerError{d.path, version}
	case app == application && version == Schema:
		return nil
	case app != application && tables > 0:
		return &ForeignError{d.path, "it is a database of another program"}
	}
	// Two that make it at once do the same, one after the other.
	_, err := d.db.Exec(fmt.Sprintf(`BEGIN IMMEDIATE;
		CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL,
			branch TEXT NOT NULL, commit_id TEXT NOT NULL, sum BLOB NOT NULL, body BLOB NOT NULL);
		PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT`, application, Schema))
	if err != nil {
		return fmt.Errorf("make history %s: %w", d.path, err)
	}
	return nil
}

// Close closes the file.
func (d *DB) Close() error { return d.db.Close() }

// Append adds a run and returns its ID. When it returns, the row is on the disk. Where
// the file turns out to be damaged, it is put aside, all rows that can be read move to
// a new file, and the error is a [*Damage] beside the ID.
func (d *DB) Append(r Row) (int64, error) {
	id, err := d.insert(r)
	if !damaged(err) {
		return id, err
	}
	return d.renew(r)
}

func (d *DB) insert(r Row) (int64, error) {
	body, sum, err := pack(&r)
	if err != nil {
		return 0, err
	}
	tx, err := d.db.BeginTx(context.Background(), nil)
	if err != nil {
		return 0, fmt.Errorf("append to history %s: %w", d.path, err)
	}
	var id any
	if r.ID > 0 {
		id = r.ID
	}
	res, err := tx.Exec("INSERT INTO runs (id, started, branch, commit_id, sum, body) VALUES (?, ?, ?, ?, ?, ?)",
		id, r.Started.UnixMilli(), r.Branch, r.Commit, sum, body)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return 0, fmt.Errorf("append to history %s: %w", d.path, errors.Join(err, rollback(tx)))
	}
	return res.LastInsertId()
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

var (
	pressing, _  = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)) // the options are valid
	unpacking, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
)

func pack(r *Row) (body, sum []byte, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, nil, fmt.Errorf("encode run: %w", err)
	}
	body = pressing.EncodeAll(text, nil)
	s := sha256.Sum256(body)
	return body, s[:], nil
}

func unpack(id int64, body, sum []byte) (Row, error) {
	var r Row
	if s := sha256.Sum256(body); !slices.Equal(s[:], sum) {
		return r, errors.New("checksum does not match")
	}
	text, err := unpacking.DecodeAll(body, nil)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	r.ID = id
	return r, err
}

// A Query chooses rows. The zero value is all of them.
type Query struct {
	Branch string
	Last   int // at most so many, the newest; 0 is all
}

// Rows returns runs in the order in which they were appended. Where some cannot be
// read, the error is a [*Damage] beside all others.
func (d *DB) Rows(q Query) ([]Row, error) {
	rows, err := d.read()
	rows = slices.DeleteFunc(rows, func(r Row) bool { return q.Branch != "" && r.Branch != q.Branch })
	if q.Last > 0 && len(rows) > q.Last {
		rows = rows[len(rows)-q.Last:]
	}
	return rows, err
}

// read takes all rows in one go, and one by one where that fails.
func (d *DB) read() ([]Row, error) {
	var rows []Row
	var lost []int
	err := each(d.db, "SELECT id, body, sum FROM runs ORDER BY id", func(id int64, body, sum []byte) {
		r, err := unpack(id, body, sum)
		if err != nil {
			lost = append(lost, int(id))
			return
		}
		rows = append(rows, r)
	})
	switch {
	case err == nil && len(lost) == 0:
		return rows, nil
	case err == nil:
		return rows, &Damage{Path: d.path, Read: len(rows), Lost: lost, Why: "checksums do not match"}
	case !damaged(err):
		return nil, fmt.Errorf("read history %s: %w", d.path, err)
	}
	return d.salvage(err)
}

// beyond is how many IDs behind the last one that was read are tried.
const beyond = 1000

// salvage reads row by row: a page that is gone takes its own rows and no others.
func (d *DB) salvage(why error) ([]Row, error) {
	got := map[int64]Row{}
	take := func(id int64, body, sum []byte) {
		if r, err := unpack(id, body, sum); err == nil {
			got[id] = r
		}
	}
	// A connection of its own, that only reads: without writable_schema SQLite serves
	// nothing of a file that is shorter than its head says.
	db, err := sql.Open("sqlite", d.uri("?_pragma=writable_schema(1)&_pragma=query_only(1)"))
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
	var known int64
	if db.QueryRow("SELECT seq FROM sqlite_sequence").Scan(&known) != nil {
		known = 0 // that page is gone too
	}
	for id := int64(1); id <= max(last+beyond, known); id++ {
		if _, ok := got[id]; !ok {
			_ = each(db, "SELECT id, body, sum FROM runs WHERE id = "+fmt.Sprint(id), take)
		}
	}
	damage := &Damage{Path: d.path, Read: len(got), Why: plainly(why)}
	var rows []Row
	for id := int64(1); id <= max(known, last); id++ {
		if r, ok := got[id]; ok {
			rows = append(rows, r)
		} else {
			damage.Lost = append(damage.Lost, int(id))
		}
	}
	return rows, damage
}

func each(db *sql.DB, query string, take func(id int64, body, sum []byte)) error {
	found, err := db.Query(query)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var id int64
		var body, sum []byte
		if err := found.Scan(&id, &body, &sum); err != nil {
			return err
		}
		take(id, body, sum)
	}
	return found.Err()
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
		return "its head is overwritten"
	}
	return "pages of the file are missing or overwritten"
}

// renew puts a damaged file aside, and moves what can be read of it, and r, to a new
// one in its place.
func (d *DB) renew(r Row) (int64, error) {
	rows, err := d.read()
	var damage *Damage
	if !errors.As(err, &damage) {
		if err != nil {
			return 0, err
		}
		damage = &Damage{Path: d.path, Read: len(rows), Why: "it takes no further runs"}
	}
	was, err := os.Stat(d.path)
	if err != nil {
		return 0, err
	}
	fresh := fmt.Sprintf("%s.new-%d", d.path, os.Getpid())
	defer os.Remove(fresh)
	to, err := Open(fresh)
	if err != nil {
		return 0, err
	}
	for _, row := range append(rows, r) {
		if row.ID, err = to.insert(row); err != nil {
			return 0, errors.Join(err, to.Close())
		}
		r.ID = row.ID
	}
	// The last to close puts all into one file.
	if err := errors.Join(to.Close(), d.Close()); err != nil {
		return 0, err
	}
	if now, err := os.Stat(d.path); err != nil || !os.SameFile(was, now) {
		// Another writer was faster: its file is whole.
		if err := d.connect(); err != nil {
			return 0, err
		}
		return d.insert(r)
	}
	aside := fmt.Sprintf("%s.damaged-%s", d.path, time.Now().UTC().Format("20060102T150405"))
	for _, end := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(d.path+end, aside+end); err != nil && !os.IsNotExist(err) {
			return 0, err
		}
	}
	if err := os.Rename(fresh, d.path); err != nil {
		return 0, err
	}
	damage.Why += "; it is kept as " + aside
	return r.ID, errors.Join(damage, d.connect())
}

// Prune removes all rows but those that keep wants, and returns how many went. A
// damaged file is not touched.
func (d *DB) Prune(keep func(Row) bool) (int, error) {
	rows, err := d.read()
	if err != nil {
		return 0, err
	}
	tx, err := d.db.Begin()
	if err != nil {
		return 0, fmt.Errorf("prune history %s: %w", d.path, err)
	}
	n := 0
	for _, r := range rows {
		if keep(r) {
			continue
		}
		if _, err := tx.Exec("DELETE FROM runs WHERE id = ?", r.ID); err != nil {
			return 0, fmt.Errorf("prune history %s: %w", d.path, errors.Join(err, rollback(tx)))
		}
		n++
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("prune history %s: %w", d.path, err)
	}
	_, err = d.db.Exec("VACUUM")
	return n, err
}
