package database_test

import (
	"database/sql"
	"os"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"

	"github.com/pressly/goose/v3"
)

// Goals set before there were ranges are kept as ranges of one number, and come back when the tables do.
func TestGoalsBecomeRanges(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		address := dsn(database.Study)
		dbtest.Open(t, address, database.Study)
		dialect, driver := goose.DialectSQLite3, "sqlite"
		if t.Name() == "TestGoalsBecomeRanges/postgres" {
			dialect, driver = goose.DialectPostgres, "pgx"
		}
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		provider, err := goose.NewProvider(dialect, db, os.DirFS("migrations/study"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.DownTo(t.Context(), 13); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("insert into quota (study_id, case_id, cell, goal) values ('s', 'a', 'sme', 3), ('s', 'b', 'any', 1)"); err != nil {
			t.Fatal(err)
		}
		if _, err := provider.UpTo(t.Context(), 14); err != nil {
			t.Fatal(err)
		}
		var least, most int
		if err := db.QueryRow("select least, most from quota_cell where study_id = 's' and case_id = 'a' and kind = 'sme'").Scan(&least, &most); err != nil || least != 3 || most != 3 {
			t.Errorf("three became %d to %d, %v", least, most, err)
		}
		if _, err := provider.DownTo(t.Context(), 13); err != nil {
			t.Fatal(err)
		}
		var rows, goal int
		if err := db.QueryRow("select count(*), max(goal) from quota").Scan(&rows, &goal); err != nil || rows != 2 || goal != 3 {
			t.Errorf("back: %d rows, the highest goal %d, %v", rows, goal, err)
		}
	})
}
