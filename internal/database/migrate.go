package database

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Each store has its numbered files; a package's tables stand in a file of that package's name. A released file is
// never edited.
//
//go:embed migrations/study/*.sql migrations/identity/*.sql migrations/keys/*.sql
var migrations embed.FS

var (
	// ErrNoStore is what OpenBeside returns where no store was ever made.
	ErrNoStore = errors.New("no store is here")
	// ErrOlder is what OpenBeside returns where the tables are older than the program.
	ErrOlder = errors.New("the tables are older than this program")
	// ErrNewer is returned where the tables are newer than the program: it would write what it does not understand.
	ErrNewer = errors.New("the tables are newer than this program")
)

// Fingerprint names the present form of all stores' tables: it changes with every migration.
func Fingerprint() (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := migrations.ReadFile(path)
		fmt.Fprintf(hash, "%s %d %s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:8]), err
}

func (db *DB) migrate(ctx context.Context) error {
	if err := db.marked(ctx, ErrUnfinished, nil); err != nil {
		return err
	}
	var options []goose.ProviderOption
	if db.postgres {
		// Replicas that start together wait for each other here; other stores of the same database have other locks.
		var schema int64
		if err := db.QueryRow(ctx, "select hashtext(current_schema())").Scan(&schema); err != nil {
			return err
		}
		const second, patience = 1, 300
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(schema), lock.WithLockTimeout(second, patience))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := db.provider(options...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", translate(err))
	}
	return refuseNewer(ctx, provider)
}

// checkVersion returns nil where the tables are exactly the program's.
func (db *DB) checkVersion(ctx context.Context) error {
	// goose would make its own table.
	made, err := db.made(ctx)
	if err != nil {
		return err
	}
	if err := db.marked(ctx, ErrUnfinished, nil); err != nil {
		return err
	}
	if !made {
		return ErrNoStore
	}
	provider, err := db.provider()
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return translate(err)
	}
	if pending {
		return ErrOlder
	}
	return refuseNewer(ctx, provider)
}

func refuseNewer(ctx context.Context, provider *goose.Provider) error {
	current, newest, err := provider.GetVersions(ctx)
	if err == nil && current > newest {
		return ErrNewer
	}
	return translate(err)
}

func (db *DB) provider(options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(db.store))
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if db.postgres {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, db.writer, files, append(options, goose.WithSlog(slog.New(slog.DiscardHandler)))...)
}

// made says whether the store was ever migrated: goose keeps the versions in a table of its own.
func (db *DB) made(ctx context.Context) (bool, error) {
	return db.hasTable(ctx, goose.DefaultTablename)
}

func (db *DB) hasTable(ctx context.Context, name string) (found bool, err error) {
	query := "select exists (select 1 from sqlite_master where name = $1)"
	if db.postgres {
		query = "select exists (select 1 from information_schema.tables where table_schema = current_schema() and table_name = $1)"
	}
	err = db.QueryRow(ctx, query, name).Scan(&found)
	return found, err
}
