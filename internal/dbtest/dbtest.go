// Package dbtest gives tests real databases: SQLite always, PostgreSQL where FELTBOK_TEST_POSTGRES names a server.
package dbtest

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"

	_ "github.com/jackc/pgx/v5/stdlib"
)

const postgresVariable = "FELTBOK_TEST_POSTGRES"

// Engines runs fn once per engine, as a subtest of the engine's name. dsn makes the address of a new, empty database
// of that engine; what it named is gone when the subtest ends.
func Engines(t *testing.T, fn func(t *testing.T, dsn func(database.Store) string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		fn(t, func(store database.Store) string { return filepath.Join(folder, string(store)+".db") })
	})
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv(postgresVariable)
		if server == "" {
			t.Skipf("%s is not set", postgresVariable)
		}
		fn(t, func(store database.Store) string { return Schema(t, server, store) })
	})
}

// Each runs fn once per engine on one new store with its tables.
func Each(t *testing.T, store database.Store, fn func(t *testing.T, db *database.DB)) {
	t.Helper()
	Ready(t, func(t *testing.T, dsn func(database.Store) string) { fn(t, Open(t, dsn(store), store)) })
}

// Open opens a store and closes it when the test ends.
func Open(t *testing.T, dsn string, store database.Store) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close %s store: %v", store, err)
		}
	})
	return db
}

// Schema makes a PostgreSQL schema of its own for one store, dropped when the test or benchmark ends.
func Schema(t testing.TB, server string, store database.Store) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("t_%s_%s", store, id.New[id.Study]())
	if _, err := admin.Exec("create schema " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("drop schema " + name + " cascade"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
		admin.Close()
	})
	return inSchema(t, server, name)
}

func inSchema(t testing.TB, server, name string) string {
	t.Helper()
	address, err := url.Parse(server)
	must(t, err)
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	return address.String()
}
