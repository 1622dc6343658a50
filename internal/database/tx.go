package database

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is one transaction. Its statements run to their end even if the request that asked for them is gone: on SQLite an
// interrupted write rolls back everything committed in the same group.
type Tx struct {
	tx   *sql.Tx
	dead error // the engine has rolled back by itself; set on SQLite only
}

// Tx runs fn in one transaction, commits when it returns nil and rolls back on an error or a panic. When Tx returns nil
// the change is on disk. No network and no other store inside fn: on SQLite every writer waits for it, and a call to
// Tx on the same store from inside waits for itself.
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	first, committed := db.onceFirst(ctx, fn)
	err := db.inTx(ctx, first)
	if err == nil {
		committed()
	}
	return err
}

func (db *DB) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	if db.group != nil {
		return db.group.do(ctx, fn)
	}
	tx, err := db.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", translate(err))
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := fn(&Tx{tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", translate(err))
	}
	return nil
}

// Exec runs a statement and returns the number of rows it touched.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(context.WithoutCancel(ctx), query, args...)
	if err != nil {
		return 0, t.note(err)
	}
	return result.RowsAffected()
}

// Query reads rows, seeing what the transaction has written.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := t.tx.QueryContext(context.WithoutCancel(ctx), query, args...)
	return rows, t.note(err)
}

// QueryRow reads one row, seeing what the transaction has written.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	return Row{t.tx.QueryRowContext(context.WithoutCancel(ctx), query, args...)}
}

func (t *Tx) note(err error) error {
	if endsTransaction(err) {
		t.dead = translate(err)
	}
	return translate(err)
}

// Row is one row to scan.
type Row struct{ row *sql.Row }

// Scan copies the row's columns. Without a row it returns ErrNoRows.
func (r Row) Scan(dest ...any) error { return translate(r.row.Scan(dest...)) }

// Scanner is a row under the cursor.
type Scanner interface{ Scan(dest ...any) error }

// All reads every row of a query.
func All[T any](ctx context.Context, q Querier, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := Each(ctx, q, func(row Scanner) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Values reads every row of a query that has one column.
func Values[T any](ctx context.Context, q Querier, query string, args ...any) ([]T, error) {
	return All(ctx, q, func(row Scanner) (value T, err error) {
		err = row.Scan(&value)
		return value, err
	}, query, args...)
}

// Each calls visit for every row of a query, without holding more than one.
func Each(ctx context.Context, q Querier, visit func(Scanner) error, query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}
