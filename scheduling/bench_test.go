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
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

const (
	contenders = 64
	contended  = 20
)

// BenchmarkContendedRound has 64 people walk 20 times, each until they have one, in turn with us and with the yardstick, which
// checks and then inserts in BEGIN IMMEDIATE, in a table of its own and without consent, cells, mails and audit. "x-faster" is how
// many of our rounds go into one of the yardstick's.
func BenchmarkContendedRound(b *testing.B) {
	db, err := database.Open(b.Context(), filepath.Join(b.TempDir(), "study.db"), database.Study)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	w := newWorld(db)
	w.offer(b, nil)
	yardstick := checkThenInsertStore(b)
	var ours, theirs time.Duration
	n := 0
	for b.Loop() {
		w.set(at("2019-04-01T09:00").AddDate(0, 0, 7*n).Format("2006-01-02T15:04"))
		w.week(b, "ada", workdays(9, 13)...)
		start := at("2019-04-02T09:00").AddDate(0, 0, 7*n)
		n++
		ours += round(b, func(_, slot int) (bool, error) {
			_, err := w.own(b.Context(), person(), offeredTime(start, slot))
			if errors.Is(err, scheduling.ErrTaken) {
				return false, nil
			}
			return err == nil, err
		})
		theirs += round(b, func(client, slot int) (bool, error) {
			return checkThenInsert(b.Context(), yardstick, n*contended+slot, n*contenders+client)
		})
	}
	b.ReportMetric(float64(theirs)/float64(ours), "x-faster")
	b.ReportMetric(float64(ours.Microseconds())/float64(n), "ours-us")
	b.ReportMetric(float64(theirs.Microseconds())/float64(n), "theirs-us")
}

func checkThenInsertStore(b *testing.B) *sql.DB {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "y.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(30000)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(8)
	for _, statement := range []string{"create table booking (id integer primary key, slot integer not null, person integer not null, state text not null default 'booked', at integer)",
		"create unique index booking_slot on booking (slot) where state = 'booked'", "create unique index booking_person on booking (person) where state = 'booked'"} {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// BenchmarkFreeTimes finds what is free in 8 weeks for 3 interviewers with 500 bookings and 2,000 busy times elsewhere, in turn with
// a plain scan of those rows. "x-scan" is how many scans one search costs.
func BenchmarkFreeTimes(b *testing.B) {
	const weeks, bookings, busy = 8, 500, 2_000
	db, err := database.Open(b.Context(), filepath.Join(b.TempDir(), "study.db"), database.Study)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	w := newWorld(db)
	w.offer(b, func(k *scheduling.Type) { k.Grid, k.BufferAfter = 30, 15 })
	from := at("2019-04-01T09:00")
	for i := range 3 {
		account := id.Account(fmt.Sprint("interviewer", i))
		w.week(b, account, workdays(0, 24)...)
		w.elsewhere.events = nil
		for n := range busy / 3 {
			start := from.Add(time.Duration(n) * weeks * 7 * 24 * time.Hour / (busy / 3)).Truncate(5 * time.Minute)
			w.elsewhere.events = append(w.elsewhere.events, start.Format("2006-01-02T15:04")+"/"+start.Add(10*time.Minute).Format("2006-01-02T15:04"))
		}
		if err := w.AddCalendar(b.Context(), staff, account, "Work", secretAddress); err != nil {
			b.Fatal(err)
		}
	}
	for n := range bookings {
		account := id.Account(fmt.Sprint("interviewer", n%3))
		if _, err := w.byStaff(b.Context(), person(), from.Add(time.Duration(n/3)*8*time.Hour), account); err != nil {
			b.Fatal(err)
		}
	}
	to := from.AddDate(0, 0, 7*weeks)
	var ours, scan time.Duration
	for b.Loop() {
		begin := time.Now()
		slots, err := w.Free(b.Context(), w.search(scheduling.Phone), from, to)
		if err != nil || len(slots) == 0 {
			b.Fatal(len(slots), err)
		}
		middle := time.Now()
		rows := 0
		for _, query := range []string{"select " + bookingColumns + " from booking where study_id = '" + string(w.study) + "' and starts_at >= $1 and starts_at < $2",
			"select calendar_id, from_ms, to_ms from busy_time where to_ms > $1 and from_ms < $2"} {
			err := database.Each(b.Context(), db, func(row database.Scanner) error {
				rows++
				var a, c string
				var d int64
				if rows > bookings {
					return row.Scan(&a, &d, &d)
				}
				return row.Scan(&a, &a, &c, &c, &d, &d, &c, &c)
			}, query, from.UnixMilli(), to.UnixMilli())
			if err != nil {
				b.Fatal(err)
			}
		}
		ours, scan = ours+middle.Sub(begin), scan+time.Since(middle)
		if rows < bookings+busy-10 {
			b.Fatalf("scanned %d rows", rows)
		}
	}
	b.ReportMetric(float64(ours)/float64(scan), "x-scan")
}

const bookingColumns = "id, person_id, audience, mode, starts_at, ends_at, interviewers, state"

// offeredTime is the n-th hour of a week from Tuesday at nine, four a day.
func offeredTime(tuesday time.Time, n int) time.Time {
	day := n / 4
	if day == 4 {
		day = 6 // the fifth working day after Tuesday is the Monday of the next week
	}
	return tuesday.AddDate(0, 0, day).Add(time.Duration(n%4) * time.Hour)
}

// round takes the time that everybody has come to an end.
func round(b *testing.B, try func(client, slot int) (bool, error)) time.Duration {
	begin := time.Now()
	var wg sync.WaitGroup
	for client := range contenders {
		wg.Go(func() {
			for _, slot := range rand.Perm(contended) {
				ok, err := try(client, slot)
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
	return time.Since(begin)
}

func checkThenInsert(ctx context.Context, db *sql.DB, slot, person int) (bool, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	var one int
	if err := tx.QueryRow("select 1 from booking where (slot = $1 or person = $2) and state = 'booked'", slot, person).Scan(&one); err == nil {
		return false, nil
	}
	if _, err := tx.Exec("insert into booking (slot, person, at) values ($1, $2, $3)", slot, person, time.Now().Unix()); err != nil {
		return false, err
	}
	return true, tx.Commit()
}
