package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Ready is Engines with the tables made already: they are copied from a template, since migrating takes most of the time
// of a short test.
func Ready(t *testing.T, fn func(t *testing.T, dsn func(database.Store) string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		fn(t, func(store database.Store) string { return File(t, folder, store) })
	})
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv(postgresVariable)
		if server == "" {
			t.Skipf("%s is not set", postgresVariable)
		}
		address := sync.OnceValue(func() string { return copyDatabase(t, server) })
		fn(t, func(store database.Store) string { return inSchema(t, address(), string(store)) })
	})
}

var (
	fileTemplates = map[database.Store][]byte{}
	fileTurn      sync.Mutex
)

// File makes the file of a store, with its tables, and returns its path.
func File(t testing.TB, folder string, store database.Store) string {
	t.Helper()
	fileTurn.Lock()
	defer fileTurn.Unlock()
	path := filepath.Join(folder, string(store)+".db")
	if fileTemplates[store] != nil {
		must(t, os.WriteFile(path, fileTemplates[store], 0o600))
		return path
	}
	migrate(t, path, store)
	made, err := os.ReadFile(path) // closed, and so whole
	must(t, err)
	fileTemplates[store] = made
	return path
}

func migrate(t testing.TB, dsn string, store database.Store) {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, store)
	must(t, err)
	must(t, db.Close())
}

// templatePrefix begins the names of databases that tests are copied from; the tables' fingerprint ends them.
const templatePrefix = "feltbok_test_tables_"

// copyDatabase makes a database with a schema for each store, dropped when the test ends.
func copyDatabase(t testing.TB, server string) (address string) {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	must(t, err)
	template := templateOn(t, admin, server)
	name := "t_" + string(id.New[id.Study]())
	// Page by page through the log, as it is done otherwise since PostgreSQL 15, takes five times as long.
	do(t, admin, fmt.Sprintf("create database %s template %s strategy file_copy", name, template))
	t.Cleanup(func() {
		_, err := admin.Exec("drop database " + name + " with (force)")
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return at(t, server, name)
}

// templateOn finds the template, or makes it. Packages are tested side by side: they take turns.
func templateOn(t testing.TB, admin *sql.DB, server string) (name string) {
	t.Helper()
	fingerprint, err := database.Fingerprint()
	must(t, err)
	name = templatePrefix + fingerprint
	turn, err := admin.Conn(t.Context())
	must(t, err)
	defer turn.Close()
	if _, err := turn.ExecContext(t.Context(), "select pg_advisory_lock(hashtext($1))", templatePrefix); err != nil {
		t.Fatal(err)
	}
	defer turn.ExecContext(t.Context(), "select pg_advisory_unlock(hashtext($1))", templatePrefix)
	var there bool
	must(t, admin.QueryRow("select exists (select 1 from pg_database where datname = $1)", name).Scan(&there))
	if there {
		return name
	}
	const unfinished = templatePrefix + "unfinished"
	do(t, admin, "drop database if exists "+unfinished+" with (force)")
	do(t, admin, "create database "+unfinished)
	for _, store := range database.Stores {
		address := at(t, server, unfinished)
		inside, err := sql.Open("pgx", address)
		must(t, err)
		do(t, inside, "create schema "+string(store))
		must(t, inside.Close())
		migrate(t, inSchema(t, address, string(store)), store)
	}
	do(t, admin, fmt.Sprintf("alter database %s rename to %s", unfinished, name))
	return name
}

// at is the address of another database of a server.
func at(t testing.TB, server, name string) string {
	t.Helper()
	address, err := url.Parse(server)
	must(t, err)
	address.Path = "/" + name
	return address.String()
}

func do(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
