package database

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"
)

// Preparing a statement costs SQLite about as much as running it, and database/sql prepares each text anew. So every
// SQLite connection keeps what it has prepared. This stands below database/sql, where only one goroutine at a time holds
// a connection: nothing needs a lock, and a statement ends with its connection. On PostgreSQL pgx does the same.
const (
	mostStatements   = 256     // kept per connection, the last used
	longestStatement = 4 << 10 // bytes of text; a longer one carries a list of values and seldom comes again
)

// reused are the beginnings of statements that mean the same each time. Some pragmas act while they are prepared
// (sqlite.org/pragma.html), and what changes the schema comes once.
var reused = []string{"select ", "insert ", "update ", "delete ", "with ", "savepoint ", "release ", "rollback to "}

func reusable(query string) bool {
	return len(query) <= longestStatement &&
		slices.ContainsFunc(reused, func(verb string) bool { return strings.HasPrefix(query, verb) })
}

// keeping opens connections that keep their statements.
type keeping struct{ driver.Connector }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keeper{connection: conn.(connection)}, nil
}

// connection is what database/sql uses of the driver's own connection, but for running statements.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type keeper struct {
	connection
	idle []kept // the last used comes last; a statement in use is not among them, so its text may run inside its own rows
}

type kept struct {
	query string
	stmt  driver.Stmt
}

func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return result, k.giveBack(kept{query, stmt}, err)
}

func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, k.giveBack(kept{query, stmt}, err)
	}
	return &keptRows{rows, func(err error) error { return k.giveBack(kept{query, stmt}, err) }}, nil
}

// keptRows hold their statement until they are closed; database/sql closes them exactly once.
type keptRows struct {
	driver.Rows
	giveBack func(error) error
}

func (r *keptRows) Close() error { return r.giveBack(r.Rows.Close()) }

func (k *keeper) take(ctx context.Context, query string) (driver.Stmt, error) {
	for i, one := range slices.Backward(k.idle) {
		if one.query == query {
			k.idle = slices.Delete(k.idle, i, i+1)
			return one.stmt, nil
		}
	}
	return k.PrepareContext(ctx, query)
}

// giveBack keeps a statement, unless it failed with err or is not for reuse, and returns err: an error of closing says
// nothing new.
func (k *keeper) giveBack(one kept, err error) error {
	if err != nil || !reusable(one.query) {
		one.stmt.Close()
		return err
	}
	k.idle = append(k.idle, one)
	if len(k.idle) > mostStatements {
		k.idle[0].stmt.Close()
		k.idle = slices.Delete(k.idle, 0, 1)
	}
	return nil
}

// Close closes the statements first, for they live in the connection.
func (k *keeper) Close() error {
	for _, one := range k.idle {
		one.stmt.Close()
	}
	return k.connection.Close()
}
