package intents_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
)

var errBoom = errors.New("boom")

// clock is one that tests set from several goroutines.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time                     { return time.UnixMilli(c.at.Load()) }
func (c *clock) pass(d time.Duration)               { c.at.Add(d.Milliseconds()) }
func nothing(context.Context, intents.Intent) error { return nil }

func begin(t *testing.T, db *database.DB, r *intents.Runner, person id.Person, kind string) id.Intent {
	t.Helper()
	var in id.Intent
	err := db.Tx(t.Context(), func(tx *database.Tx) (err error) {
		in, err = r.Begin(t.Context(), tx, "s", person, kind, map[string]int{"n": 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wantOpen(t *testing.T, r *intents.Runner, want int) {
	t.Helper()
	if n, err := r.Count(t.Context()); err != nil || n != want {
		t.Errorf("%d acts are open (%v), want %d", n, err, want)
	}
}

func reconcile(t *testing.T, r *intents.Runner, alone bool, want int) {
	t.Helper()
	if done, err := r.Reconcile(t.Context(), alone); err != nil || done != want {
		t.Errorf("Reconcile = %d, %v; want %d", done, err, want)
	}
}

func TestFinishDoesEveryStepOnceInOrder(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		r := intents.New(db, time.Now)
		var way string
		step := func(name string) intents.Step {
			return func(_ context.Context, in intents.Intent) error {
				var params struct{ N int }
				if err := json.Unmarshal(in.Params, &params); err != nil || params.N != 1 || in.Person != "p" || in.Study != "s" || in.Kind != "enrol" {
					t.Errorf("intent %+v, %v", in, err)
				}
				way += name
				return nil
			}
		}
		r.Handle("enrol", step("a"), step("b"), step("c"))
		in := begin(t, db, r, "p", "enrol")
		if open, err := r.Open(t.Context(), "s"); err != nil || !open["p"] || len(open) != 1 {
			t.Errorf("Open = %v, %v", open, err)
		}
		if open, err := r.Open(t.Context(), "other"); err != nil || len(open) != 0 {
			t.Errorf("Open of another study = %v, %v", open, err)
		}
		for range 2 { // the second time nothing is left
			if err := r.Finish(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		if way != "abc" {
			t.Errorf("steps %s, want abc", way)
		}
		wantOpen(t, r, 0)
	})
}

func TestBeginIsPartOfItsTransaction(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		r := intents.New(db, time.Now)
		r.Handle("enrol", nothing)
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := r.Begin(t.Context(), tx, "s", "p", "enrol", nil)
			return errors.Join(err, errBoom)
		})
		if !errors.Is(err, errBoom) {
			t.Fatal(err)
		}
		wantOpen(t, r, 0)
		if err := db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := r.Begin(t.Context(), tx, "s", "p", "unheard of", nil)
			return err
		}); err == nil {
			t.Error("an act that nobody handles began")
		}
	})
}

// A step that fails twice: the act stays open and goes on where it stopped, at the next rounds, and holds up no other.
func TestAStepThatFailsTwice(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		var c clock
		r := intents.New(db, c.now)
		first, failing := 0, 0
		r.Handle("hard",
			func(context.Context, intents.Intent) error { first++; return nil },
			func(context.Context, intents.Intent) error {
				if failing++; failing <= 2 {
					return errBoom
				}
				return nil
			})
		r.Handle("easy", nothing)
		in := begin(t, db, r, "p", "hard")
		if err := r.Finish(t.Context(), in); !errors.Is(err, errBoom) {
			t.Errorf("Finish = %v, want the step's own error", err)
		}
		reconcile(t, r, false, 0) // leased to whoever began it
		c.pass(time.Hour)
		begin(t, db, r, "q", "easy")
		c.pass(time.Hour)
		reconcile(t, r, false, 1) // the easy one, although the hard one comes first
		wantOpen(t, r, 1)
		reconcile(t, r, false, 0) // not at once again
		c.pass(time.Hour)
		reconcile(t, r, false, 1)
		wantOpen(t, r, 0)
		if first != 1 || failing != 3 {
			t.Errorf("first step ran %d times, want 1; second %d, want 3", first, failing)
		}
	})
}

// An act left by a dead process is finished at once by one that knows itself alone.
func TestReconcileAlone(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		r := intents.New(db, time.Now)
		r.Handle("enrol", nothing)
		begin(t, db, r, "p", "enrol")
		reconcile(t, r, false, 0)
		reconcile(t, r, true, 1)
		wantOpen(t, r, 0)
	})
}

// An act of a kind that this version does not know is left for one that does.
func TestUnknownKindStaysOpen(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		newer, older := intents.New(db, time.Now), intents.New(db, time.Now)
		newer.Handle("new kind", nothing)
		in := begin(t, db, newer, "p", "new kind")
		if err := older.Finish(t.Context(), in); err == nil {
			t.Error("Finish did what it does not know")
		}
		reconcile(t, older, true, 0)
		reconcile(t, newer, true, 1)
	})
}

func TestTwoReconcilersShareTheWork(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		const acts = 20
		var c clock
		var mu sync.Mutex
		ran := map[id.Person]int{}
		count := func(_ context.Context, in intents.Intent) error {
			mu.Lock()
			defer mu.Unlock()
			ran[in.Person]++
			return nil
		}
		var runners []*intents.Runner
		for range 2 {
			r := intents.New(db, c.now)
			r.Handle("enrol", count, count)
			runners = append(runners, r)
		}
		for i := range acts {
			begin(t, db, runners[0], id.Person(fmt.Sprint(i)), "enrol")
		}
		c.pass(time.Hour)
		var wg sync.WaitGroup
		var done atomic.Int64
		for _, r := range runners {
			wg.Go(func() {
				n, err := r.Reconcile(context.Background(), false)
				if err != nil {
					t.Error(err)
				}
				done.Add(int64(n))
			})
		}
		wg.Wait()
		if done.Load() != acts || len(ran) != acts {
			t.Errorf("%d done, %d people; want %d", done.Load(), len(ran), acts)
		}
		for person, n := range ran {
			if n != 2 {
				t.Errorf("%s: %d steps, want 2", person, n)
			}
		}
		wantOpen(t, runners[0], 0)
	})
}

// Who leaves does not stop what they began.
func TestFinishOutlivesItsCaller(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		r := intents.New(db, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		r.Handle("enrol",
			func(context.Context, intents.Intent) error { cancel(); return nil },
			func(ctx context.Context, _ intents.Intent) error { return ctx.Err() })
		if err := r.Finish(ctx, begin(t, db, r, "p", "enrol")); err != nil {
			t.Errorf("Finish = %v", err)
		}
		wantOpen(t, r, 0)
	})
}

// A step that takes long keeps its act by renewing the lease.
func TestRenewKeepsAnAct(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		var c clock
		r := intents.New(db, c.now)
		reached, goOn := make(chan struct{}), make(chan struct{})
		r.Handle("long", func(ctx context.Context, in intents.Intent) error {
			for range 3 {
				c.pass(50 * time.Second)
				if err := r.Renew(ctx, in); err != nil {
					return err
				}
			}
			close(reached)
			<-goOn
			return nil
		})
		in := begin(t, db, r, "p", "long")
		finished := make(chan error)
		go func() { finished <- r.Finish(context.Background(), in) }()
		<-reached
		reconcile(t, r, false, 0)
		close(goOn)
		if err := <-finished; err != nil {
			t.Error(err)
		}
		wantOpen(t, r, 0)
	})
}
