package links_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
)

// Each link is found to be its person's, over more than one part; one whose hash was changed, or whose key is gone, is not.
func TestVerifyMakesEveryTokenAgain(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		ctx, study := t.Context(), id.New[id.Study]()
		db := dbtest.Open(t, dsn(database.Study), database.Study)
		store, err := keys.New(ctx, dbtest.Open(t, dsn(database.Keys), database.Keys), keys.Master{1}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		l := links.New(db, store, time.Now)
		persons := []id.Person{id.New[id.Person](), id.New[id.Person]()}
		if err := store.Create(ctx, persons...); err != nil {
			t.Fatal(err)
		}
		made := 501
		for i := range made {
			if _, err := l.Ensure(ctx, study, persons[i%2], links.Referral, fmt.Sprint(i), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := l.Verify(ctx); n != made || err != nil {
			t.Errorf("Verify = %d, %v; want %d", n, err, made)
		}
		change := func(statement string) {
			t.Helper()
			err := db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		change("update link set token_hash = 'x' where subject = '500'")
		if _, err := l.Verify(ctx); !errors.Is(err, links.ErrBroken) {
			t.Errorf("a changed hash: %v, want ErrBroken", err)
		}
		change("delete from link where subject = '500'")
		if n, err := l.Verify(ctx); n != made-1 || err != nil {
			t.Errorf("without it: %d, %v", n, err)
		}
		if err := store.Destroy(ctx, persons[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Verify(ctx); !errors.Is(err, links.ErrBroken) {
			t.Errorf("without a key: %v, want ErrBroken", err)
		}
	})
}
