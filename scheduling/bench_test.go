package scheduling_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/scheduling"
)

const (
	contenders = 64
	contended  = 20
)

// BenchmarkContendedRound has 64 people walk 20 times, each until they have one. Compare ours with the yardstick, which
// checks and then inserts in BEGIN IMMEDIATE, in a table of its own and without consent, cells, mails and audit.
func BenchmarkContendedRound(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		db, err := database.Open(b.Context(), filepath.Join(b.TempDir(), "study.db"), database.Study)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		w := newWorld(db)
		w.offer(b, nil)
		day := 0
		for b.Loop() {
			w.set(at("2019-04-01T09:00").AddDate(0, 0, 7*day).Format("2006-01-02T15:04"))
			w.week(b, "ada", workdays(9, 13)...)
			start := at("2019-04-02T09:00").AddDate(0, 0, 7*day)
			day++
			round(b, func(slot int) (bool, error) {
				_, err := w.own(b.Context(), person(), offeredTime(start, slot))
				if errors.Is(err, scheduling.ErrTaken) {
					return false, nil
				}
				return err == nil, err
			})
		}
	})
	b.Run("check-then-insert", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "y.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(30000)&_txlock=immediate")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(8)
		if _, err := db.Exec("create table booking (slot integer, person text, at integer)"); err != nil {
			b.Fatal(err)
		}
		if _, err := db.Exec("create unique index booking_slot on booking (slot)"); err != nil {
			b.Fatal(err)
		}
		first := 0
		for b.Loop() {
			first += contended
			round(b, func(slot int) (bool, error) { return checkThenInsert(b.Context(), db, first+slot) })
		}
	})
}

// offeredTime is the n-th hour of a week from Tuesday at nine, four a day.
func offeredTime(tuesday time.Time, n int) time.Time {
	day := n / 4
	if day == 4 {
		day = 6 // the fifth working day after Tuesday is the Monday of the next week
	}
	return tuesday.AddDate(0, 0, day).Add(time.Duration(n%4) * time.Hour)
}

func round(b *testing.B, try func(slot int) (bool, error)) {
	var wg sync.WaitGroup
	for range contenders {
		wg.Go(func() {
			for _, slot := range rand.Perm(contended) {
				ok, err := try(slot)
				if err != nil {
					b.Error(fmt.Errorf("slot %d: %w", slot, err))
					return
				}
				if ok {
					return
				}
			}
		})
	}
	wg.Wait()
}

func checkThenInsert(ctx context.Context, db *sql.DB, slot int) (bool, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	var one int
	if err := tx.QueryRow("select 1 from booking where slot = $1", slot).Scan(&one); err == nil {
		return false, nil
	}
	if _, err := tx.Exec("insert into booking values ($1, $2, $3)", slot, person(), time.Now().Unix()); err != nil {
		return false, err
	}
	return true, tx.Commit()
}
