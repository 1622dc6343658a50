//go:build crashpoints && unix

package intents_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/intents"
)

const (
	steps   = 3
	address = "FELTBOK_TEST_ADDRESS" // of the store that the child works on
)

// marking is an act whose every step leaves a row, and counts how often it was done.
func marking(db *database.DB) *intents.Runner {
	r := intents.New(db, time.Now)
	var all []intents.Step
	for i := range steps {
		all = append(all, func(ctx context.Context, _ intents.Intent) error {
			return db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, `insert into form_key (key, used_at) values ($1, 1)
					on conflict (key) do update set used_at = form_key.used_at + 1`, fmt.Sprint("step ", i))
				return err
			})
		})
	}
	r.Handle("mark", all...)
	return r
}

// TestCrashChild is the process that dies; the test below starts it.
func TestCrashChild(t *testing.T) {
	dsn := os.Getenv(address)
	if dsn == "" {
		t.Skip("started by TestCrashBetweenSteps only")
	}
	db := dbtest.Open(t, dsn, database.Study)
	r := marking(db)
	if err := r.Finish(t.Context(), begin(t, db, r, "p", "mark")); err != nil {
		t.Fatal(err)
	}
}

// Promise 3, the mechanism: killed before or after any step, the act is finished by the next process; a step that was
// done and not noted is done twice, no other.
func TestCrashBetweenSteps(t *testing.T) {
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		store := dsn(database.Study)
		for step := range steps {
			for _, after := range []string{"", ".done"} {
				point := fmt.Sprintf("mark.%d%s", step, after)
				killAt(t, store, point)
				db := dbtest.Open(t, store, database.Study)
				r := marking(db)
				wantOpen(t, r, 1)
				reconcile(t, r, true, 1)
				wantOpen(t, r, 0)
				for i := range steps {
					want := 1
					if after != "" && i == step {
						want = 2
					}
					if got := times(t, db, i); got != want {
						t.Errorf("killed at %s: step %d was done %d times, want %d", point, i, got, want)
					}
				}
				if err := db.ForgetForms(t.Context(), time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func killAt(t *testing.T, dsn, point string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), address+"="+dsn, crash.Variable+"="+point)
	out, err := child.CombinedOutput()
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed at %s: %v\n%s", point, err, out)
	}
}

func times(t *testing.T, db *database.DB, step int) (n int) {
	t.Helper()
	err := db.QueryRow(t.Context(), "select used_at from form_key where key = $1", fmt.Sprint("step ", step)).Scan(&n)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		t.Fatal(err)
	}
	return n
}
