package database_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
)

// Every store's tables are seen alike on both engines, and each comes behind those it refers to.
func TestTablesAreTheSameOnBothEngines(t *testing.T) {
	found := map[string][]database.Table{}
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		for _, store := range database.Stores {
			db := dbtest.Open(t, dsn(store), store)
			tables, err := db.Tables(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if before, ok := found[string(store)]; ok && !slices.EqualFunc(before, tables, same) {
				t.Errorf("%s: the engines differ: %v and %v", store, before, tables)
			}
			found[string(store)] = tables
		}
	})
	place := func(name string) int {
		return slices.IndexFunc(found["study"], func(table database.Table) bool { return table.Name == name })
	}
	for child, parent := range map[string]string{"session": "account", "survey_response": "survey_respondent", "booking_cell": "booking", "member": "study"} {
		if place(parent) < 0 || place(child) < place(parent) {
			t.Errorf("%s at %d comes before %s at %d", child, place(child), parent, place(parent))
		}
	}
	if place("goose_db_version") >= 0 || len(found["study"]) < 30 {
		t.Errorf("%d tables: %v", len(found["study"]), found["study"])
	}
}

func same(a, b database.Table) bool { return a.Name == b.Name && slices.Equal(a.Columns, b.Columns) }

// Until a restore has ended nobody opens the store; what it leaves when it is broken off gives way to the next, and to it
// alone.
func TestAHalfRestoredStoreDoesNotOpen(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		ctx, address := t.Context(), dsn(database.Keys)
		newest, err := database.Newest(database.Keys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := database.BeginRestore(ctx, address, database.Keys, newest+1); !errors.Is(err, database.ErrNewer) {
			t.Errorf("tables of a version to come: %v, want ErrNewer", err)
		}
		for range 2 { // the second finds what the first left
			db, err := database.BeginRestore(ctx, address, database.Keys, newest)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, "insert into erased (person_id, erased_at) values ('a', 0)")
				return err
			})
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := database.Open(ctx, address, database.Keys); !errors.Is(err, database.ErrUnfinished) {
				t.Errorf("Open: %v, want ErrUnfinished", err)
			}
			if _, err := database.OpenBeside(ctx, address, database.Keys); !errors.Is(err, database.ErrUnfinished) {
				t.Errorf("OpenBeside: %v, want ErrUnfinished", err)
			}
		}
		db, err := database.OpenRestoring(ctx, address, database.Keys)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.EndRestore(ctx), db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := database.BeginRestore(ctx, address, database.Keys, newest); !errors.Is(err, database.ErrNotEmpty) {
			t.Errorf("over a store: %v, want ErrNotEmpty", err)
		}
		if err := database.ClearRestore(ctx, address); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := dbtest.Open(t, address, database.Keys).QueryRow(ctx, "select count(*) from erased").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows, %v: clearing took what was no restore's", n, err)
		}
	})
}

func TestClearingLeavesNothing(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		ctx, address := t.Context(), dsn(database.Study)
		db, err := database.BeginRestore(ctx, address, database.Study, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Close(), database.ClearRestore(ctx, address), database.ClearRestore(ctx, address)); err != nil {
			t.Fatal(err)
		}
		if made, err := database.Exists(ctx, address); made || err != nil {
			t.Errorf("something is there yet: %v, %v", made, err)
		}
		if err := database.RefuseFull(ctx, address); err != nil {
			t.Errorf("the place is not empty: %v", err)
		}
		if !database.IsPostgres(address) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if _, err := os.Stat(address + suffix); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s%s is left: %v", address, suffix, err)
				}
			}
		}
	})
}

// Tables that somebody else keeps in the same schema are no place for a store.
func TestOthersTablesAreLeftAlone(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		ctx, address := t.Context(), dsn(database.Study)
		other := dbtest.Open(t, address, database.Keys) // another store's, and so not this one's
		if err := database.RefuseFull(ctx, address); !errors.Is(err, database.ErrNotEmpty) {
			t.Errorf("RefuseFull: %v, want ErrNotEmpty", err)
		}
		if err := database.ClearRestore(ctx, address); err != nil {
			t.Fatal(err)
		}
		if tables, err := other.Tables(ctx, other); err != nil || len(tables) != 3 {
			t.Errorf("%v, %v: others' tables are gone", tables, err)
		}
	})
}
