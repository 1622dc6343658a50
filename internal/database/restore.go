package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// restoring is a table that stands in a store while it is being put back. No command opens such a store: it holds half of
// what was, or has not forgotten yet whom it must.
const restoring = "restoring"

var (
	// ErrUnfinished is what opening a store returns where a restore was broken off.
	ErrUnfinished = errors.New("a restore was broken off here")
	// ErrNotEmpty is what BeginRestore returns where something is already.
	ErrNotEmpty = errors.New("something is here already")
)

// BeginRestore makes an empty store with the tables of a version, and marks it as being restored. What a restore that was
// broken off has left there gives way; anything else is ErrNotEmpty. ErrNewer where the program knows no such version.
//
// The data folder must be held.
func BeginRestore(ctx context.Context, dsn string, store Store, version int64) (*DB, error) {
	if err := RefuseFull(ctx, dsn); err != nil {
		return nil, err
	}
	if err := ClearRestore(ctx, dsn); err != nil {
		return nil, err
	}
	if !IsPostgres(dsn) {
		if err := touch(dsn); err != nil {
			return nil, err
		}
	}
	return open(ctx, dsn, store, func(db *DB, ctx context.Context) error {
		if _, err := db.writer.ExecContext(ctx, "create table "+restoring+" (one boolean primary key)"); err != nil {
			return translate(err)
		}
		provider, err := db.provider()
		if err != nil {
			return err
		}
		if newest := provider.ListSources(); version > newest[len(newest)-1].Version {
			return ErrNewer
		}
		_, err = provider.UpTo(ctx, version)
		return translate(err)
	})
}

// Newest is the version of the tables that this program makes.
func Newest(store Store) (int64, error) {
	files, err := fs.ReadDir(migrations, "migrations/"+string(store))
	if err != nil {
		return 0, err
	}
	var version int64
	_, err = fmt.Sscanf(files[len(files)-1].Name(), "%d_", &version)
	return version, err
}

// Upgrade brings the tables of a store that is being restored up to date.
func (db *DB) Upgrade(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return translate(err)
}

// OpenRestoring opens a store that is up to date and still marked.
func OpenRestoring(ctx context.Context, dsn string, store Store) (*DB, error) {
	return open(ctx, dsn, store, func(*DB, context.Context) error { return nil })
}

// EndRestore takes the mark away: the store may be opened.
func (db *DB) EndRestore(ctx context.Context) error {
	_, err := db.writer.ExecContext(ctx, "drop table "+restoring)
	return translate(err)
}

// RefuseFull is ErrNotEmpty where BeginRestore would be. On PostgreSQL a table of somebody else's counts too.
func RefuseFull(ctx context.Context, dsn string) error {
	if !IsPostgres(dsn) && !hasBytes(dsn) {
		return nil
	}
	return look(ctx, dsn, func(db *DB) error {
		names, err := db.everyTable(ctx)
		if err != nil || len(names) == 0 {
			return err
		}
		return db.marked(ctx, nil, ErrNotEmpty)
	})
}

// ClearRestore takes away what a restore that was broken off has left, and nothing else.
func ClearRestore(ctx context.Context, dsn string) error {
	if !IsPostgres(dsn) && !hasBytes(dsn) {
		return nil
	}
	marked := false
	err := look(ctx, dsn, func(db *DB) error {
		if err := db.marked(ctx, nil, errNoMark); err != nil {
			return err
		}
		marked = true
		return db.dropAll(ctx)
	})
	if errors.Is(err, errNoMark) {
		return nil
	}
	if err != nil || !marked || IsPostgres(dsn) {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if gone := os.Remove(dsn + suffix); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

var errNoMark = errors.New("nothing is being restored here")

// look connects to a store without asking what it holds.
func look(ctx context.Context, dsn string, fn func(*DB) error) error {
	connect := openSQLite
	if IsPostgres(dsn) {
		connect = openPostgres
	}
	db, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

// marked returns yes where the store is being restored, and no otherwise.
func (db *DB) marked(ctx context.Context, yes, no error) error {
	found, err := db.hasTable(ctx, restoring)
	if err != nil {
		return err
	}
	if found {
		return yes
	}
	return no
}

func (db *DB) everyTable(ctx context.Context) ([]string, error) {
	query := `select name from sqlite_master where type = 'table' and name not like 'sqlite\_%' escape '\'`
	if db.postgres {
		query = "select table_name from information_schema.tables where table_schema = current_schema()"
	}
	return All(ctx, db, func(row Scanner) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	}, query)
}

// dropAll empties a PostgreSQL schema, all or nothing; an SQLite file is removed as a whole instead.
func (db *DB) dropAll(ctx context.Context) error {
	if !db.postgres {
		return nil
	}
	names, err := db.everyTable(ctx)
	if err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *Tx) error {
		for _, name := range names {
			if _, err := tx.Exec(ctx, "drop table "+name+" cascade"); err != nil {
				return err
			}
		}
		return nil
	})
}
