package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
)

func erase(ctx context.Context, tx *database.Tx, person string) error {
	_, err := tx.Exec(ctx, "insert into erased (person_id, erased_at) values ($1, 1)", person)
	return err
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "select count(*) from erased").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTxCommitsOrUndoes(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		if err := db.Tx(ctx, func(tx *database.Tx) error { return erase(ctx, tx, "a") }); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		err := db.Tx(ctx, func(tx *database.Tx) error { return errors.Join(erase(ctx, tx, "b"), boom) })
		if !errors.Is(err, boom) {
			t.Errorf("Tx = %v, want the function's own error", err)
		}
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not reach the caller")
				}
			}()
			db.Tx(ctx, func(tx *database.Tx) error { erase(ctx, tx, "c"); panic("boom") })
		}()
		if got := count(t, db); got != 1 {
			t.Errorf("%d rows after one commit, one error and one panic; want 1", got)
		}
	})
}

func TestErrorsHaveKinds(t *testing.T) {
	dbtest.Each(t, database.Identity, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		var name string
		if err := db.QueryRow(ctx, "select study_id from identity").Scan(&name); !errors.Is(err, database.ErrNoRows) {
			t.Errorf("no rows: %v", err)
		}
		insert := func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "insert into identity (person_id, study_id, version, sealed, updated_at) values ('p', 's', 1, $1, 1)", []byte{1})
			return err
		}
		if err := db.Tx(ctx, insert); err != nil {
			t.Fatal(err)
		}
		if err := db.Tx(ctx, insert); !errors.Is(err, database.ErrDuplicate) || errs.KindOf(err) != errs.Conflict {
			t.Errorf("duplicate: %v", err)
		}
		err := db.Tx(ctx, func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "insert into identity_lookup (study_id, hash, person_id) values ('s', 'h', 'nobody')")
			return err
		})
		if !errors.Is(err, database.ErrReferenced) {
			t.Errorf("dangling reference: %v", err)
		}
	})
}

// Neighbours in one group commit must not feel each other's failure.
func TestConcurrentTransactionsAreIndependent(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		const clients = 60
		var wg sync.WaitGroup
		var mu sync.Mutex
		acknowledged, failed := 0, 0
		for i := range clients {
			wg.Go(func() {
				err := db.Tx(ctx, func(tx *database.Tx) error {
					if err := erase(ctx, tx, fmt.Sprint(i)); err != nil {
						return err
					}
					if i%3 == 0 {
						return erase(ctx, tx, fmt.Sprint(i)) // a duplicate
					}
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					acknowledged++
				} else if errors.Is(err, database.ErrDuplicate) {
					failed++
				}
			})
		}
		wg.Wait()
		if acknowledged != clients*2/3 || failed != clients/3 || count(t, db) != acknowledged {
			t.Errorf("acknowledged %d, failed %d, stored %d of %d", acknowledged, failed, count(t, db), clients)
		}
	})
}

// Everybody runs the same few texts at once, on all connections: some succeed, some fail, some leave in the middle.
func TestSameStatementsFromEverywhere(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		const clients, each = 16, 20
		const query = "select erased_at from erased where person_id = $1"
		use := func(client, i int) error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			person, at := fmt.Sprint(client, "-", i), int64(0)
			err := db.Tx(ctx, func(tx *database.Tx) error {
				if err := tx.QueryRow(ctx, query, person).Scan(&at); !errors.Is(err, database.ErrNoRows) {
					return fmt.Errorf("before: %w", err)
				}
				if err := erase(ctx, tx, person); err != nil {
					return err
				}
				return tx.QueryRow(ctx, query, person).Scan(&at)
			})
			if err != nil || at != 1 {
				return fmt.Errorf("insert: %d, %w", at, err)
			}
			again := func(tx *database.Tx) error { return erase(ctx, tx, person) }
			if err := db.Tx(ctx, again); !errors.Is(err, database.ErrDuplicate) {
				return fmt.Errorf("duplicate: %w", err)
			}
			rows, err := db.Query(ctx, "select person_id from erased where erased_at = $1", 1)
			if err != nil {
				return err
			}
			if i%2 == 0 {
				cancel()
			}
			rows.Close()
			return db.QueryRow(t.Context(), query, person).Scan(&at)
		}
		var wg sync.WaitGroup
		for client := range clients {
			wg.Go(func() {
				for i := range each {
					if err := use(client, i); err != nil {
						t.Errorf("client %d: %v", client, err)
					}
				}
			})
		}
		wg.Wait()
		if got := count(t, db); got != clients*each {
			t.Errorf("%d rows, want %d", got, clients*each)
		}
	})
}

// A caller that goes away must neither undo its neighbours nor hear "no" about a change that then happens.
func TestCancelledCallerLeavesWholeTransactions(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(ctx, func(tx *database.Tx) error {
			cancel()
			return erase(ctx, tx, "a")
		})
		if err != nil || count(t, db) != 1 {
			t.Errorf("Tx = %v with %d rows; want the work done and said so", err, count(t, db))
		}
	})
}

func TestClosedStoreSaysSo(t *testing.T) {
	db, err := database.Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), database.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	err = db.Tx(t.Context(), func(*database.Tx) error { return nil })
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("Tx on a closed store = %v, want Unavailable", err)
	}
}

// A copy of the one file is a whole backup after a clean stop.
func TestCloseLeavesNothingBesideTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	db, err := database.Open(t.Context(), path, database.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Tx(t.Context(), func(tx *database.Tx) error { return erase(t.Context(), tx, "a") }); err != nil {
		t.Fatal(err)
	}
	if got := count(t, db); got != 1 { // opens a reader
		t.Fatalf("%d rows, want 1", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		t.Errorf("the write-ahead log still holds %d bytes", info.Size())
	}
	copied := filepath.Join(t.TempDir(), "keys.db")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := count(t, dbtest.Open(t, copied, database.Keys)); got != 1 {
		t.Errorf("the copied file has %d rows, want 1", got)
	}
}

// Promise 2: every connection, reader or writer, is durable and foreign keys hold.
func TestSQLiteIsPinnedToFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study & more? #1.db")
	db := dbtest.Open(t, path, database.Study)
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1, "secure_delete": 1} {
		var onReader, onWriter int
		if err := db.QueryRow(t.Context(), "pragma "+pragma).Scan(&onReader); err != nil {
			t.Fatal(err)
		}
		if err := db.Tx(t.Context(), func(tx *database.Tx) error {
			return tx.QueryRow(t.Context(), "pragma "+pragma).Scan(&onWriter)
		}); err != nil {
			t.Fatal(err)
		}
		if onReader != want || onWriter != want {
			t.Errorf("%s: reader %d, writer %d, want %d", pragma, onReader, onWriter, want)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := dbtest.Open(t, filepath.Join(t.TempDir(), "keys.db"), database.Keys)
	var got sql.NullString
	if err := db.QueryRow(t.Context(), "insert into erased values ('x', 1) returning person_id").Scan(&got); err == nil {
		t.Error("a reader wrote")
	}
}

func TestOpeningTwiceMigratesOnce(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		address := dsn(database.Study)
		dbtest.Open(t, address, database.Study)
		dbtest.Open(t, address, database.Study)
	})
}

// What reads beside a running server makes nothing in a wrong place and changes no tables.
func TestOpenBesideMakesNothing(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		address := dsn(database.Study)
		refused := func(want error) {
			t.Helper()
			if db, err := database.OpenBeside(t.Context(), address, database.Study); !errors.Is(err, want) {
				t.Errorf("OpenBeside = %v, %v; want %v", db, err, want)
			}
		}
		refused(database.ErrNoStore)
		refused(database.ErrNoStore) // the first left nothing
		if made, err := database.Exists(t.Context(), address); err != nil || made {
			t.Errorf("Exists = %v, %v before it was made", made, err)
		}
		if _, err := os.Stat(address); !errors.Is(err, fs.ErrNotExist) && !database.IsPostgres(address) {
			t.Errorf("a file was made (%v)", err)
		}
		db := dbtest.Open(t, address, database.Study)
		if made, err := database.Exists(t.Context(), address); err != nil || !made {
			t.Errorf("Exists = %v, %v after it was made", made, err)
		}
		beside, err := database.OpenBeside(t.Context(), address, database.Study)
		if err != nil {
			t.Fatal(err)
		}
		if err := beside.Close(); err != nil {
			t.Error(err)
		}
		version := func(query string) {
			t.Helper()
			err := db.Tx(t.Context(), func(tx *database.Tx) error {
				_, err := tx.Exec(t.Context(), query)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		version("insert into goose_db_version (version_id, is_applied) values (99999, true)")
		refused(database.ErrNewer)
		if db, err := database.Open(t.Context(), address, database.Study); !errors.Is(err, database.ErrNewer) {
			t.Errorf("Open on newer tables = %v, %v; want ErrNewer", db, err)
		}
		version("delete from goose_db_version where version_id >= (select max(version_id) from goose_db_version where version_id < 99999)")
		refused(database.ErrOlder)
		refused(database.ErrOlder) // the first changed nothing
	})
}

func TestAFormIsOneAct(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		act := func(ctx context.Context, fail error) error {
			return db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, "update audit_head set seq = seq + 1")
				return errors.Join(err, fail)
			})
		}
		hand := func(fail error) error {
			ctx := database.WithOnce(t.Context(), "form", time.Unix(1, 0))
			if err := act(ctx, fail); err != nil {
				return err
			}
			return act(ctx, nil) // a request may need a second transaction
		}
		boom := errors.New("boom")
		if err := hand(boom); !errors.Is(err, boom) {
			t.Errorf("failing act: %v", err)
		}
		if err := hand(nil); err != nil {
			t.Errorf("after a failure the form counts: %v", err)
		}
		if err := hand(nil); !errors.Is(err, database.ErrRepeated) {
			t.Errorf("second time: %v, want ErrRepeated", err)
		}
		var acts int
		if err := db.QueryRow(t.Context(), "select seq from audit_head").Scan(&acts); err != nil || acts != 2 {
			t.Errorf("%d acts (%v), want the first form's 2", acts, err)
		}
		if err := db.ForgetForms(t.Context(), time.Unix(2, 0)); err != nil {
			t.Fatal(err)
		}
		if err := hand(nil); err != nil {
			t.Errorf("after forgetting: %v", err)
		}
	})
}
