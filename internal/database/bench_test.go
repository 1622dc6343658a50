package database_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
)

const (
	turn       = 1024 // transactions per side and turn
	mostAtOnce = 256  // pieces that the yardstick commits as one, like the group
)

var document = `{"item":"` + strings.Repeat("x", 1000) + `"}`

// BenchmarkTx lets many clients store one JSON text per transaction, beside a yardstick that takes turns with it: one
// goroutine with one prepared insert that commits whatever waits, and nothing else. "of-yardstick" is our rate over its.
func BenchmarkTx(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			ours, bare := newOurs(b), newBare(b)
			var spent, bareSpent time.Duration
			for b.Loop() {
				spent += share(b, clients, ours)
				bareSpent += share(b, clients, bare)
			}
			b.ReportMetric(bareSpent.Seconds()/spent.Seconds(), "of-yardstick")
			b.ReportMetric(spent.Seconds()*1e9/float64(b.N*turn), "ns/tx")
		})
	}
}

func share(b *testing.B, clients int, store func() error) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range turn / clients {
				if err := store(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

const table = "create table response (id integer primary key, at bigint not null, answers text not null)"

func newOurs(b *testing.B) func() error {
	db, err := database.Open(b.Context(), filepath.Join(b.TempDir(), "keys.db"), database.Keys)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	run := func(query string, args ...any) error {
		return db.Tx(b.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(b.Context(), query, args...)
			return err
		})
	}
	if err := run(table); err != nil {
		b.Fatal(err)
	}
	return func() error {
		return run("insert into response (at, answers) values ($1, $2)", time.Now().UnixMilli(), document)
	}
}

func newBare(b *testing.B) func() error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(table); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("insert into response (at, answers) values ($1, $2)")
	if err != nil {
		b.Fatal(err)
	}
	waiting, done := make(chan chan error, 1024), make(chan struct{})
	go func() {
		defer close(done)
		for first := range waiting {
			batch, err := bareCommit(db, insert, first, waiting)
			for _, one := range batch {
				one <- err
			}
		}
	}()
	b.Cleanup(func() { close(waiting); <-done; db.Close() })
	return func() error {
		one := make(chan error, 1)
		waiting <- one
		return <-one
	}
}

func bareCommit(db *sql.DB, insert *sql.Stmt, first chan error, waiting <-chan chan error) ([]chan error, error) {
	batch := []chan error{first}
	tx, err := db.Begin()
	if err != nil {
		return batch, err
	}
	defer tx.Rollback()
	insert = tx.Stmt(insert)
	for {
		if _, err := insert.Exec(time.Now().UnixMilli(), document); err != nil {
			return batch, err
		}
		if len(batch) == mostAtOnce {
			return batch, tx.Commit()
		}
		select {
		case next := <-waiting:
			batch = append(batch, next)
			continue
		default:
		}
		return batch, tx.Commit()
	}
}
