// Package database opens the stores on either engine, migrates them and runs transactions. It knows no rules and no
// tables but its own; the SQL of a table stands in the package that owns it.
//
// One SQL text serves both engines. Driver errors are translated here, once, into kinds of errs; nobody reads the text
// of an error.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"example.org/feltbok/internal/errs"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// Store names one of the three databases; each has its own migrations.
type Store string

const (
	Study    Store = "study"    // pseudonyms, consents, bookings, answers: everything but who somebody is
	Identity Store = "identity" // names and contact details, sealed
	Keys     Store = "keys"     // a data key per person, wrapped by the master key
)

// Stores lists all of them, in the order in which they are opened and closed.
var Stores = []Store{Keys, Identity, Study}

// DB is one open store.
type DB struct {
	store          Store
	writer, reader *sql.DB
	group          *group // commits many short transactions as one; nil on PostgreSQL
	postgres       bool
}

// Querier reads and writes: a DB (reading only, from a snapshot) or a Tx.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// Open opens a store and brings its tables up to date. A dsn starting with postgres:// is PostgreSQL; anything else is
// the path of an SQLite file, created if missing.
//
// The data folder must be held (LockFolder): only one process at a time may change tables in it.
func Open(ctx context.Context, dsn string, store Store) (*DB, error) {
	if !IsPostgres(dsn) {
		if err := touch(dsn); err != nil {
			return nil, fmt.Errorf("open %s store: %w", store, err)
		}
	}
	return open(ctx, dsn, store, (*DB).migrate)
}

// OpenBeside opens a store that is there and up to date, as beside a running server: it makes nothing and migrates
// nothing. Otherwise it returns ErrNoStore, ErrOlder or ErrNewer.
func OpenBeside(ctx context.Context, dsn string, store Store) (*DB, error) {
	if !IsPostgres(dsn) && !hasBytes(dsn) {
		return nil, ErrNoStore
	}
	return open(ctx, dsn, store, (*DB).checkVersion)
}

// Exists says whether a store was made at dsn; its tables may be old.
func Exists(ctx context.Context, dsn string) (bool, error) {
	if !IsPostgres(dsn) {
		return hasBytes(dsn), nil
	}
	db, err := openPostgres(ctx, dsn)
	if err != nil {
		return false, err
	}
	made, err := db.made(ctx)
	return made, errors.Join(err, db.Close())
}

func open(ctx context.Context, dsn string, store Store, prepare func(*DB, context.Context) error) (*DB, error) {
	connect := openSQLite
	if IsPostgres(dsn) {
		connect = openPostgres
	}
	db, err := connect(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s store: %w", store, err)
	}
	db.store = store
	if err := prepare(db, ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s store: %w", store, err), db.Close())
	}
	return db, nil
}

// IsPostgres says which engine a dsn names.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// SamePlace says that two dsns name the same tables: the same file, or the same schema for the same user.
func SamePlace(one, other string) bool {
	if IsPostgres(one) != IsPostgres(other) {
		return false
	}
	if !IsPostgres(one) {
		return filepath.Clean(one) == filepath.Clean(other)
	}
	a, errA := pgconn.ParseConfig(one)
	b, errB := pgconn.ParseConfig(other)
	if errA != nil || errB != nil {
		return one == other
	}
	return a.Host == b.Host && a.Port == b.Port && a.Database == b.Database && a.User == b.User &&
		a.RuntimeParams["search_path"] == b.RuntimeParams["search_path"] && a.RuntimeParams["options"] == b.RuntimeParams["options"]
}

const maxPostgresConns = 16

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(maxPostgresConns)
	pool.SetMaxIdleConns(maxPostgresConns)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(translate(err), pool.Close())
	}
	return &DB{writer: pool, reader: pool, postgres: true}, nil
}

const maxSQLiteReaders = 8

// sqlitePragmas go into the DSN, so that every connection has them. FULL because NORMAL lost acknowledged rows in
// simulated power cuts; secure_delete so that an erased name leaves no bytes behind.
const sqlitePragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=temp_store(MEMORY)"

// touch makes the file, readable by its owner only. Closing a descriptor drops SQLite's own locks on the file, so this
// must happen before the first connection.
func touch(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// hasBytes says whether a file was begun: an empty one is what a first start that was cut short leaves.
func hasBytes(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	uri := (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String()
	writer, err := openKeeping(uri + "?mode=rw&_txlock=immediate&" + sqlitePragmas)
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	if err := assertDurable(ctx, writer); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader, err := openKeeping(uri + "?mode=ro&" + sqlitePragmas)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxOpenConns(maxSQLiteReaders)
	reader.SetMaxIdleConns(maxSQLiteReaders)
	return &DB{writer: writer, reader: reader, group: newGroup(writer)}, nil
}

func openKeeping(dsn string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeping{connector}), nil
}

const (
	oldestSQLite    = 3_051_003 // 3.51.3, in SQLITE_VERSION_NUMBER's form
	synchronousFULL = 2
)

// assertDurable refuses an engine that would lose an acknowledged row.
func assertDurable(ctx context.Context, writer *sql.DB) error {
	var text, journal string
	if err := writer.QueryRowContext(ctx, "select sqlite_version()").Scan(&text); err != nil {
		return translate(err)
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return fmt.Errorf("read SQLite version %q: %w", text, err)
	}
	if major*1_000_000+minor*1_000+patch < oldestSQLite {
		return fmt.Errorf("SQLite %s is too old: 3.51.3 or newer is needed", text)
	}
	var synchronous int
	if err := writer.QueryRowContext(ctx, "pragma synchronous").Scan(&synchronous); err != nil {
		return translate(err)
	}
	if err := writer.QueryRowContext(ctx, "pragma journal_mode").Scan(&journal); err != nil {
		return translate(err)
	}
	if synchronous != synchronousFULL || journal != "wal" {
		return fmt.Errorf("SQLite runs with synchronous=%d journal_mode=%s: want 2 (FULL) and wal", synchronous, journal)
	}
	return nil
}

// Close waits for running transactions and closes the store. The writer goes last: on SQLite the last connection to
// leave moves the write-ahead log into the database and removes it, and one that only reads cannot.
func (db *DB) Close() error {
	if db.group != nil {
		db.group.close()
	}
	var err error
	if db.reader != db.writer {
		err = db.reader.Close()
	}
	return errors.Join(err, db.writer.Close())
}

// Ping says whether the store answers.
func (db *DB) Ping(ctx context.Context) error { return translate(db.reader.PingContext(ctx)) }

// Postgres says which engine runs, for the few statements that no text serves on both (vacuum, checkpoint).
func (db *DB) Postgres() bool { return db.postgres }

// Query reads from the last committed state.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := db.reader.QueryContext(ctx, query, args...)
	return rows, translate(err)
}

// QueryRow reads one row from the last committed state.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) Row {
	return Row{db.reader.QueryRowContext(ctx, query, args...)}
}

// Scrub makes deleted bytes leave the files: on SQLite it moves the write-ahead log into the database and empties it
// (deleted rows are overwritten already, by secure_delete); on PostgreSQL it vacuums the named tables. It returns an
// Unavailable error while a reader still holds the log, and is to be called again.
func (db *DB) Scrub(ctx context.Context, tables ...string) error {
	if db.postgres {
		for _, table := range tables {
			if _, err := db.writer.ExecContext(ctx, "vacuum "+table); err != nil {
				return fmt.Errorf("vacuum %s: %w", table, translate(err))
			}
		}
		return nil
	}
	// TRUNCATE reports "busy" in its row and not as an error.
	var busy, pages, moved int
	if err := db.writer.QueryRowContext(ctx, "pragma wal_checkpoint(truncate)").Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("checkpoint: %w", translate(err))
	}
	if busy != 0 {
		return errs.New(errs.Unavailable, "store_busy")
	}
	return nil
}
