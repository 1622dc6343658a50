package main

import (
	"database/sql"
	"fmt"
	"sort"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
)

// tables lists a store's own tables.
func tables(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'goose%'"
	if db.Postgres() {
		query = "select table_name from information_schema.tables where table_schema = current_schema() and table_name not like 'goose%'"
	}
	names, err := database.Values[string](t.Context(), db, query)
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	if len(names) == 0 {
		t.Fatal("no tables")
	}
	return names
}

// columns lists a table's columns.
func columns(t *testing.T, db *database.DB, table string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), "select * from "+table+" where 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// dump is everything that a store holds, a line a row, in a fixed order; except leaves tables out.
func dump(t *testing.T, db *database.DB, except ...string) string {
	t.Helper()
	var all []string
	for _, table := range tables(t, db) {
		if strings.Contains(" "+strings.Join(except, " ")+" ", " "+table+" ") {
			continue
		}
		rows, err := db.Query(t.Context(), "select * from "+table)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, scanAll(t, table, rows)...)
	}
	sort.Strings(all)
	return strings.Join(all, "\n")
}

func scanAll(t *testing.T, table string, rows *sql.Rows) (lines []string) {
	t.Helper()
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		line.WriteString(table)
		for i, value := range values {
			got := *value.(*any)
			if raw, ok := got.([]byte); ok {
				got = string(raw)
			}
			fmt.Fprintf(&line, "\t%s=%v", names[i], got)
		}
		lines = append(lines, line.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// bytesOf is every byte of a file-based store, write-ahead log included; "" on PostgreSQL.
func (s *stage) bytesOf(store database.Store) string {
	s.t.Helper()
	var all strings.Builder
	for _, suffix := range []string{"", "-wal", "-shm"} {
		all.WriteString(readFile(s.t, s.files[store]+suffix))
	}
	return all.String()
}
