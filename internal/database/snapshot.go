package database

import (
	"context"
	"database/sql"
	"fmt"
)

// Snapshot is one unchanging state of a store, to be read beside everything else that goes on. While it is open SQLite keeps
// its write-ahead log, and Scrub has to be called again: close it soon.
type Snapshot struct {
	db *DB
	tx *sql.Tx
}

// Snapshot begins to read the last committed state.
func (db *DB) Snapshot(ctx context.Context) (*Snapshot, error) {
	options := &sql.TxOptions{ReadOnly: true}
	if db.postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.reader.BeginTx(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", translate(err))
	}
	s := &Snapshot{db, tx}
	// Both engines choose the state at the first row that is read, and not at the beginning.
	if _, err := Version(ctx, s); err != nil {
		s.Close()
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	return s, nil
}

// Store says of which store this is a state.
func (s *Snapshot) Store() Store { return s.db.store }

// Tables lists the tables of this state.
func (s *Snapshot) Tables(ctx context.Context) ([]Table, error) { return s.db.Tables(ctx, s) }

// Query reads rows of this state.
func (s *Snapshot) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	return rows, translate(err)
}

// QueryRow reads one row of this state.
func (s *Snapshot) QueryRow(ctx context.Context, query string, args ...any) Row {
	return Row{s.tx.QueryRowContext(ctx, query, args...)}
}

// Close lets the state go. Doing it twice is doing it once.
func (s *Snapshot) Close() {
	_ = s.tx.Rollback() // nothing was written, and after the first time this says only that it is over
}
