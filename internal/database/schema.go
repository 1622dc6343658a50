package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// Type is what a column holds, by the name that both engines know.
type Type string

const (
	Text    Type = "text"
	Integer Type = "bigint"
	Bytes   Type = "bytea"
	Boolean Type = "boolean"
	Real    Type = "double precision"
)

// Column is one column of a table.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Table is one table; its columns stand in the order of their names, whichever migration made them.
type Table struct {
	Name    string
	Columns []Column
}

// Tables lists a store's own tables as q sees them, each after those that it refers to.
func (db *DB) Tables(ctx context.Context, q Querier) ([]Table, error) {
	columns, err := db.columns(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	needs, err := db.references(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	return inOrder(columns, needs)
}

// columns are those of every table but the engines' own and goose's: that one says what the program does, and not what
// anybody has written.
func (db *DB) columns(ctx context.Context, q Querier) (map[string][]Column, error) {
	query := `select m.name, c.name, lower(c.type) from sqlite_master m join pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite\_%' escape '\' and m.name not in ($1, $2)`
	if db.postgres {
		query = `select c.table_name, c.column_name, c.data_type from information_schema.columns c
			join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
			where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.table_name not in ($1, $2)`
	}
	found := map[string][]Column{}
	err := Each(ctx, q, func(row Scanner) error {
		var table string
		var c Column
		err := row.Scan(&table, &c.Name, &c.Type)
		found[table] = append(found[table], c)
		return errors.Join(err, c.check(table))
	}, query, goose.DefaultTablename, restoring)
	return found, err
}

// references says for each table which others must be there before it.
func (db *DB) references(ctx context.Context, q Querier) (map[string][]string, error) {
	query := `select m.name, f."table" from sqlite_master m join pragma_foreign_key_list(m.name) f where m.type = 'table'`
	if db.postgres {
		query = `select a.relname, b.relname from pg_constraint k join pg_class a on a.oid = k.conrelid
			join pg_class b on b.oid = k.confrelid join pg_namespace n on n.oid = a.relnamespace
			where k.contype = 'f' and n.nspname = current_schema()`
	}
	needs := map[string][]string{}
	err := Each(ctx, q, func(row Scanner) error {
		var from, to string
		err := row.Scan(&from, &to)
		needs[from] = append(needs[from], to)
		return err
	}, query)
	return needs, err
}

func (c Column) check(table string) error {
	switch c.Type {
	case Text, Integer, Bytes, Boolean, Real:
		return nil
	}
	return fmt.Errorf("column %s of %s holds %q, which is not the same on both engines", c.Name, table, c.Type)
}

// inOrder puts each table behind those that it needs.
func inOrder(found map[string][]Column, needs map[string][]string) (tables []Table, err error) {
	placed := map[string]bool{}
	for len(tables) < len(found) {
		var next []string
		for name := range found {
			waits := slices.ContainsFunc(needs[name], func(other string) bool { return !placed[other] })
			if !placed[name] && !waits {
				next = append(next, name)
			}
		}
		if len(next) == 0 {
			return nil, errors.New("tables refer to each other in a circle")
		}
		slices.Sort(next)
		for _, name := range next {
			columns := found[name]
			slices.SortFunc(columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
			tables, placed[name] = append(tables, Table{name, columns}), true
		}
	}
	return tables, nil
}

// Version is how far a store's tables have come: the number of the newest migration that q sees.
func Version(ctx context.Context, q Querier) (version int64, err error) {
	err = q.QueryRow(ctx, "select max(version_id) from "+goose.DefaultTablename).Scan(&version)
	return version, err
}
