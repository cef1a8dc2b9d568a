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
	_ "modernc.org/sqlite" // the driver
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

// A DB is an open history.
type DB struct {
	path string
	db   *sql.DB
	file os.FileInfo // that db has open
	// mended is a copy of the file with a head that can be read, where its own cannot; db
	// is nil then, and where the file is empty.
	mended *copied
}

// busyFor is how long a writer waits for another one.
const busyFor = 30 * time.Second

// Open opens a history, and makes one where there is no file. The error is a
// [*NewerError], a [*ForeignError], or one of the system.
func Open(path string) (*DB, error) {
	d := &DB{path: path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &ForeignError{path, "it is a folder"}
	} else if err == nil && info.Size() > 0 {
		if d.mended, err = sniff(path); err != nil {
			return nil, err
		}
		if d.mended != nil {
			d.file = info
			return d, nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	// One that makes the file is alone: SQLite changes to its log (WAL) for nobody who waits.
	info, err := os.Stat(path)
	unlock, err := lock(path, err != nil || info.Size() == 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.connect(); err != nil {
		return nil, err
	}
	return d, nil
}

// OpenExisting is [Open] for a file that must be there. One without a byte is damaged: it
// was made with a table in it.
func OpenExisting(path string) (*DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// SQLite writes into the file beside it first: while a history is made, it is there.
	if _, err := os.Stat(path + "-wal"); info.Size() == 0 && os.IsNotExist(err) {
		return &DB{path: path, file: info}, nil
	}
	return Open(path)
}

// pragmas of each connection: each commit is on the disk before Append returns.
const pragmas = "?_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

func (d *DB) connect() error {
	db, err := sql.Open("sqlite", uri(d.path, fmt.Sprintf(pragmas, busyFor.Milliseconds())))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	d.db = db
	if err := d.prepare(); err != nil && !damaged(err) {
		d.db = nil
		return errors.Join(err, db.Close())
	}
	if d.file, err = os.Stat(d.path); err != nil {
		d.db = nil
		return errors.Join(err, db.Close())
	}
	return nil
}

func uri(path, query string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() + query }

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
func (d *DB) Close() error {
	var errs []error
	if d.mended != nil {
		errs = append(errs, d.mended.folder.Remove())
	}
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	d.db, d.mended = nil, nil
	return errors.Join(errs...)
}

// Append adds a run and returns its ID. When it returns, the row is on the disk. Where
// the file turns out to be damaged, it is put aside, all rows that can be read move to
// a new file, and the error is a [*Damage] beside the ID.
func (d *DB) Append(r Row) (int64, error) {
	id, _, err := d.append(r, func(*Row) bool { return false })
	return id, err
}

// AppendOnce is [DB.Append] for a run that may be there already: then nothing is added,
// and the ID is that of the row.
func (d *DB) AppendOnce(r Row) (id int64, added bool, err error) { return d.append(r, r.same) }

// same reports whether other is the same run. Runs that begin together may share a seed:
// the shards of a suite, which play other scenarios.
func (r *Row) same(other *Row) bool {
	return r.Started.UnixMilli() == other.Started.UnixMilli() && r.Seed == other.Seed && r.App == other.App &&
		slices.EqualFunc(r.Scenarios, other.Scenarios, func(a, b Scenario) bool { return a.ID == b.ID })
}

func (d *DB) append(r Row, same func(*Row) bool) (id int64, added bool, err error) {
	if d.mended == nil {
		id, added, err = d.insertBeside(r, same)
		if !damaged(err) {
			return id, added, err
		}
	}
	return d.renew(r, same)
}

// insertBeside inserts beside other writers, and never into a file that one of them has
// put aside.
func (d *DB) insertBeside(r Row, same func(*Row) bool) (id int64, added bool, err error) {
	unlock, err := lock(d.path, false)
	if err != nil {
		return 0, false, err
	}
	defer unlock()
	if err := d.follow(); err != nil {
		return 0, false, err
	}
	return d.insert(r, same)
}

// follow opens the file anew where another one has its name by now.
func (d *DB) follow() error {
	now, err := os.Stat(d.path)
	if err == nil && os.SameFile(d.file, now) && d.db != nil {
		return nil
	}
	if err := d.Close(); err != nil {
		return err
	}
	return d.connect()
}

// insert adds r, unless same is true of a row that began at the same time.
func (d *DB) insert(r Row, same func(*Row) bool) (id int64, added bool, err error) {
	body, sum, err := pack(&r)
	if err != nil {
		return 0, false, err
	}
	tx, err := d.db.BeginTx(context.Background(), nil)
	if err != nil {
		return 0, false, fmt.Errorf("append to history %s: %w", d.path, err)
	}
	if id, err = twin(tx, &r, same); err == nil && id > 0 {
		return id, false, rollback(tx)
	}
	var own any // the file's next number
	if r.ID > 0 {
		own = r.ID
	}
	var res sql.Result
	if err == nil {
		res, err = tx.Exec("INSERT INTO runs (id, started, branch, commit_id, sum, body) VALUES (?, ?, ?, ?, ?, ?)",
			own, r.Started.UnixMilli(), r.Branch, r.Commit, sum, body)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return 0, false, fmt.Errorf("append to history %s: %w", d.path, errors.Join(err, rollback(tx)))
	}
	id, err = res.LastInsertId()
	return id, true, err
}

// twin finds a row that began when r did and of which same is true; 0 for none.
func twin(tx *sql.Tx, r *Row, same func(*Row) bool) (found int64, err error) {
	err = each(tx, fmt.Sprint("SELECT id, body, sum FROM runs WHERE started = ", r.Started.UnixMilli()),
		func(id int64, body, sum []byte) {
			if other, err := unpack(id, body, sum); err == nil && same(&other) {
				found = id
			}
		})
	return found, err
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
	if d.mended != nil {
		return d.salvage(d.mended.path, headLost)
	}
	if d.db == nil {
		return nil, &Damage{Path: d.path, Why: "it is empty"}
	}
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
		return rows, &Damage{Path: d.path, Read: len(rows), Lost: lost, Why: "checksums do not match", given: given(d.db)}
	case !damaged(err):
		return nil, fmt.Errorf("read history %s: %w", d.path, err)
	}
	return d.salvage(d.path, plainly(err))
}

// A querier is a database, or a transaction in one.
type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

func each(db querier, query string, take func(id int64, body, sum []byte)) error {
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

// Prune removes all rows but those that keep wants, and returns how many went. A
// damaged file is not touched.
func (d *DB) Prune(keep func(Row) bool) (int, error) {
	unlock, err := lock(d.path, false)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if d.mended == nil {
		if err := d.follow(); err != nil {
			return 0, err
		}
	}
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
