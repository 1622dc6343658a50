package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"
)

// counting counts what the connections above it prepare and close.
type counting struct {
	driver.Connector
	prepared, closed atomic.Int64
}

type countingConn struct {
	connection
	counting *counting
}

type countingStmt struct {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	counting *counting
}

func (c *counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countingConn{conn.(connection), c}, nil
}

func (c countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.connection.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.counting.prepared.Add(1)
	return countingStmt{stmt, stmt.(driver.StmtExecContext), stmt.(driver.StmtQueryContext), c.counting}, nil
}

func (c countingStmt) Close() error {
	c.counting.closed.Add(1)
	return c.Stmt.Close()
}

// keepingPool is a pool of one connection with a table, and the counts of its statements; everything it prepared must
// be closed with it.
func keepingPool(t *testing.T) (*sql.DB, *counting) {
	t.Helper()
	base, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "kept.db"))
	if err != nil {
		t.Fatal(err)
	}
	counts := &counting{Connector: base}
	pool := sql.OpenDB(keeping{counts})
	pool.SetMaxOpenConns(1)
	mustExec(t, pool, "create table number (n bigint primary key)")
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		if p, c := counts.prepared.Load(), counts.closed.Load(); p != c {
			t.Errorf("%d statements prepared and %d closed", p, c)
		}
	})
	return pool, counts
}

type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

func mustExec(t *testing.T, on execer, query string, args ...any) {
	t.Helper()
	if _, err := on.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// live says how many statements are prepared now.
func (c *counting) live() int64 { return c.prepared.Load() - c.closed.Load() }

func TestStatementsArePreparedOnce(t *testing.T) {
	for _, test := range []struct {
		name, query string
		kept        int64
	}{
		{"insert", "insert into number (n) values ($1)", 1},
		{"rows closed unread", "select n from number where n = $1", 1},
		{"pragma", "pragma synchronous", 0},
		{"schema", "create table if not exists another (n bigint)", 0},
		{"long list", "select 1 where 1 in (" + strings.Repeat("1,", longestStatement) + "1)", 0},
		{"comment only", "-- nothing", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			pool, counts := keepingPool(t)
			before := counts.prepared.Load()
			const times = 10
			for i := range times {
				args := []any{i}[:strings.Count(test.query, "$1")]
				if strings.HasPrefix(test.query, "select") {
					rows, err := pool.Query(test.query, args...)
					if err != nil {
						t.Fatal(err)
					}
					rows.Close()
				} else {
					mustExec(t, pool, test.query, args...)
				}
			}
			prepared := times - (times-1)*test.kept
			if got := counts.prepared.Load() - before; got != prepared || counts.live() != test.kept {
				t.Errorf("prepared %d times and %d left, want %d and %d", got, counts.live(), prepared, test.kept)
			}
		})
	}
}

// The same text inside its own rows needs a second statement: with one, the inner run would move the outer's cursor.
func TestAStatementInUseIsNotShared(t *testing.T) {
	pool, counts := keepingPool(t)
	mustExec(t, pool, "insert into number (n) values (1), (2), (3)")
	tx, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	const query = "select n from number where n >= $1 order by n"
	pairs := func() (n int) {
		outer, err := tx.Query(query, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer outer.Close()
		for outer.Next() {
			var from, first int
			if err := outer.Scan(&from); err != nil {
				t.Fatal(err)
			}
			if err := tx.QueryRow(query, from).Scan(&first); err != nil || first != from {
				t.Errorf("inner query from %d = %d, %v", from, first, err)
			}
			n++
		}
		return n
	}
	for range 2 {
		if got := pairs(); got != 3 {
			t.Errorf("%d pairs, want 3", got)
		}
		if got := counts.live(); got != 3 { // the insert's, the outer and the inner
			t.Errorf("%d statements left, want 3", got)
		}
	}
}

func TestTheOldestStatementGoes(t *testing.T) {
	pool, counts := keepingPool(t)
	ask := func(i int) {
		var got int
		if err := pool.QueryRow(fmt.Sprintf("select %d", i)).Scan(&got); err != nil || got != i {
			t.Fatalf("select %d = %d, %v", i, got, err)
		}
	}
	for i := range 3 * mostStatements {
		ask(-1) // stays, for it is used all the time
		ask(i)
	}
	if got := counts.live(); got != mostStatements {
		t.Errorf("%d statements kept, want %d", got, mostStatements)
	}
	before := counts.prepared.Load()
	ask(-1)
	ask(3*mostStatements - 1)
	ask(2*mostStatements + 1)
	if got := counts.prepared.Load(); got != before {
		t.Errorf("%d of the last used were prepared anew", got-before)
	}
	if ask(0); counts.prepared.Load() != before+1 {
		t.Error("the oldest was still there")
	}
}

func TestFailedStatementsAreDropped(t *testing.T) {
	pool, counts := keepingPool(t)
	const insert = "insert into number (n) values ($1)"
	mustExec(t, pool, insert, 1)
	for range 3 {
		if _, err := pool.Exec(insert, 1); !errors.Is(translate(err), ErrDuplicate) {
			t.Errorf("duplicate: %v", err)
		}
		if _, err := pool.Query("select n, $1 from number"); err == nil {
			t.Error("a missing argument was not missed")
		}
		if _, err := pool.Exec("insert into nowhere (n) values ($1)", 1); err == nil {
			t.Error("inserted into nowhere")
		}
		if counts.live() != 0 {
			t.Errorf("%d failed statements kept", counts.live())
		}
	}
	mustExec(t, pool, insert, 2)
}

// Statements are prepared against a schema; another connection may change it.
func TestStatementsFollowTheSchema(t *testing.T) {
	pool, counts := keepingPool(t)
	all := func() (columns []string) {
		rows, err := pool.Query("select * from number")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if columns, err = rows.Columns(); err != nil {
			t.Fatal(err)
		}
		return columns
	}
	mustExec(t, pool, "insert into number (n) values (1)")
	all()
	other := sql.OpenDB(counts.Connector)
	defer other.Close()
	mustExec(t, other, "alter table number add column name text")
	if got := all(); len(got) != 2 {
		t.Errorf("columns %q, want the new one too", got)
	}
}

func TestRowsLeftOpenOutliveClose(t *testing.T) {
	pool, _ := keepingPool(t)
	mustExec(t, pool, "insert into number (n) values (1), (2)")
	rows, err := pool.Query("select n from number")
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Next() || rows.Close() != nil {
		t.Errorf("open rows were cut short: %v", rows.Err())
	}
}

// A group is one transaction: whichever piece fails, first or later, is undone alone, though all share the statements.
func TestAGroupUndoesOnlyWhatFailed(t *testing.T) {
	boom := errors.New("boom")
	fates := []struct {
		name string
		end  func(tx *Tx) error
	}{
		{"kept", func(*Tx) error { return nil }},
		{"error", func(*Tx) error { return boom }},
		{"panic", func(*Tx) error { panic(boom) }},
		{"unprepared", func(tx *Tx) error { _, err := tx.Exec(t.Context(), "insert into nowhere values (1)"); return err }},
		{"unprepared but kept", func(tx *Tx) error { tx.Exec(t.Context(), "insert into nowhere values (1)"); return nil }},
		{"rows left open", func(tx *Tx) error { _, err := tx.Query(t.Context(), "select person_id from erased"); return err }},
		{"failed with open rows", func(tx *Tx) error { tx.Query(t.Context(), "select person_id from erased"); return boom }},
	}
	for first := range fates {
		t.Run(fates[first].name+" first", func(t *testing.T) {
			db, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), Keys)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			started := make(chan struct{})
			var wg sync.WaitGroup
			hand := func(i, copy int) {
				name := fmt.Sprint(fates[i].name, copy)
				wg.Go(func() {
					defer func() { recover() }()
					err := db.Tx(t.Context(), func(tx *Tx) error {
						if copy == 0 {
							close(started)
							for len(db.group.waiting) < 2*len(fates) {
								runtime.Gosched()
							}
						}
						_, err := tx.Exec(t.Context(), "insert into erased (person_id, erased_at) values ($1, 1)", name)
						return errors.Join(err, fates[i].end(tx))
					})
					if kept := stored(t, db, name); kept != (err == nil) {
						t.Errorf("%s: kept %v after %v", name, kept, err)
					}
				})
			}
			hand(first, 0)
			<-started
			for i := range fates {
				hand(i, 1)
				hand(i, 2)
			}
			wg.Wait()
			if !stored(t, db, "kept1") || !stored(t, db, "rows left open2") || stored(t, db, "error1") || stored(t, db, "panic2") {
				t.Errorf("a piece shared its neighbour's fate")
			}
		})
	}
}

func stored(t *testing.T, db *DB, person string) (found bool) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "select exists (select 1 from erased where person_id = $1)", person).Scan(&found); err != nil {
		t.Error(err)
	}
	return found
}
