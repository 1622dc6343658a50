package backup

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
)

// Unmentioned deletes from some ids those that stand in any text column of a store, but for the tables named in except. It
// reads everything once.
func Unmentioned(ctx context.Context, db *database.DB, ids map[string]bool, except ...string) error {
	tables, err := db.Tables(ctx, db)
	if err != nil {
		return err
	}
	for _, table := range tables {
		for _, column := range table.Columns {
			if len(ids) == 0 {
				return nil
			}
			if column.Type != database.Text || slices.Contains(except, table.Name) {
				continue
			}
			err := database.Each(ctx, db, func(row database.Scanner) error {
				var value string
				err := row.Scan(&value)
				delete(ids, value)
				return err
			}, "select "+column.Name+" from "+table.Name+" where "+column.Name+" is not null")
			if err != nil {
				return fmt.Errorf("look into %s: %w", table.Name, err)
			}
		}
	}
	return nil
}
