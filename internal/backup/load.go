package backup

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
)

// Load puts an archive into empty stores whose tables are of the archive's own versions, each store in one transaction, and
// returns what it put there. Where it fails, the stores are of no use.
func (r *Reader) Load(ctx context.Context, into map[database.Store]*database.DB, mark func(string) string) ([]Content, error) {
	for _, store := range r.Manifest.Kind.Stores() {
		db := into[store]
		err := db.Tx(ctx, func(tx *database.Tx) error { return r.loadStore(ctx, db, tx, store) })
		if err != nil {
			return nil, fmt.Errorf("load %s store: %w", store, err)
		}
	}
	return r.contents, r.finish(mark)
}

func (r *Reader) loadStore(ctx context.Context, db *database.DB, tx *database.Tx, store database.Store) error {
	tables, err := db.Tables(ctx, tx)
	if err != nil {
		return err
	}
	for _, table := range slices.Backward(tables) { // a migration may have put rows into a new table
		if _, err := tx.Exec(ctx, "delete from "+table.Name); err != nil {
			return err
		}
	}
	for _, table := range tables {
		found, err := r.nextTable(store)
		if err != nil {
			return err
		}
		if !found || r.table.Table != table.Name || !slices.Equal(r.table.Columns, table.Columns) {
			return damaged("table %s is not there, or has other columns", table.Name)
		}
		if err := r.loadTable(ctx, tx, table); err != nil {
			return fmt.Errorf("table %s: %w", table.Name, err)
		}
	}
	return nil
}

const (
	rowsAtOnce  = 100
	mostAtOnce  = 1 << 20 // bytes of rows that wait to be inserted together
	mostColumns = 200     // so that no statement has more parameters than SQLite takes
)

func (r *Reader) loadTable(ctx context.Context, tx *database.Tx, table database.Table) error {
	if len(table.Columns) > mostColumns {
		return fmt.Errorf("%d columns are more than one statement takes", len(table.Columns))
	}
	into := table.Name + " (" + names(table.Columns) + ")"
	var rows [][]any
	waiting := 0
	for {
		size := r.payload.Len()
		row, err := r.nextRow()
		if err != nil {
			return err
		}
		if row != nil {
			rows = append(rows, row)
			waiting += size
		}
		if row == nil || len(rows) == rowsAtOnce || waiting > mostAtOnce {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := tx.Insert(ctx, into, rows, ""); err != nil {
				return err
			}
			rows, waiting = rows[:0], 0
		}
		if row == nil {
			return nil
		}
	}
}
