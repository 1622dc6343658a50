package database

import (
	"context"
	"embed"
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

func (db *DB) migrate(ctx context.Context, store Store) error {
	files, err := fs.Sub(migrations, "migrations/"+string(store))
	if err != nil {
		return err
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithSlog(slog.New(slog.DiscardHandler))}
	if db.postgres {
		dialect = goose.DialectPostgres
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
	provider, err := goose.NewProvider(dialect, db.writer, files, options...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply: %w", translate(err))
	}
	return nil
}
