package recruitment_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

func noon(day int) time.Time { return time.Date(2019, 1, day, 12, 0, 0, 0, time.UTC) }

var plan = recruitment.Schedule{End: noon(150)}

// The forecast sees what the store holds up to the end of a day, also when it is asked later.
func TestForecastReadsWhatWasStored(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		set := func(day int) { f.now = noon(day) }
		forecast := func(day int) recruitment.Forecast {
			t.Helper()
			got, err := f.Forecast(ctx, f.study, plan, noon(day))
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		set(1)
		if err := f.SetQuota(ctx, researcher, f.study, f.a, recruitment.QuotaSME, 5); err != nil {
			t.Fatal(err)
		}
		var people []id.Person
		for i := range 6 {
			people = append(people, f.add(f.participant(fmt.Sprintf("A%d", i+1))))
		}
		pilot := f.participant("X1")
		pilot.Case, pilot.State = f.c, recruitment.Interested
		f.add(pilot)
		for i, person := range people[:5] { // the sixth waits
			set(2 + i)
			if err := f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: recruitment.NotReached}); err != nil {
				t.Fatal(err)
			}
		}
		set(20)
		f.advance(people[0], recruitment.Interviewed)
		set(22)
		f.advance(people[1], recruitment.Declined)
		set(23)
		f.advance(people[2], recruitment.Booked)
		plan := plan
		plan.Pilots = []id.Case{f.c}
		type counts struct{ Contacts, Done, Lost, UnderWay, Booked, InCell int }
		for day, want := range map[int]counts{1: {}, 4: {3, 0, 0, 3, 0, 0}, 19: {5, 0, 0, 5, 0, 0}, 21: {5, 1, 0, 4, 0, 1}, 30: {5, 1, 1, 3, 1, 1}} {
			got, err := f.Forecast(ctx, f.study, plan, noon(day))
			if err != nil {
				t.Fatal(err)
			}
			b := got.Basis
			if diff := cmp.Diff(want, counts{b.Contacts, b.Done, b.Lost, b.UnderWay, b.Booked, got.Done}); diff != "" {
				t.Errorf("day %d: -want +got\n%s", day, diff)
			}
		}
		if got := forecast(30); got.Basis.Contacts != 6 {
			t.Errorf("%d contacts with the pre-study, want the one who was enrolled as interested too", got.Basis.Contacts)
		}
		set(31)
		if err := f.db.Tx(ctx, func(tx *database.Tx) error { return f.Erase(ctx, tx, people[0]) }); err != nil {
			t.Fatal(err)
		}
		if got := forecast(31); got.Basis.Contacts != 5 || got.Basis.Done != 1 || got.Done != 0 {
			t.Errorf("after erasure %+v with %d done: want the interview in the conversion, and nobody in the cell", got.Basis, got.Done)
		}
		again, err := recruitment.New(f.db, f.log, noPilots, func() time.Time { return f.now }).Forecast(ctx, f.study, plan, noon(31))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := f.Forecast(ctx, f.study, plan, noon(31))
		if diff := cmp.Diff(kept, again); err != nil || diff != "" {
			t.Errorf("what is kept differs from what is found anew: %v %s", err, diff)
		}
	})
}

// BenchmarkForecastAmong measures what reading fourteen people's ways costs among candidates who wait: the model is kept
// from the first time on. Run it with -bench Among; the two figures should be alike.
func BenchmarkForecastAmong(b *testing.B) {
	for _, waiting := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			ctx := b.Context()
			db, err := database.Open(ctx, filepath.Join(b.TempDir(), "study.db"), database.Study)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			now := func() time.Time { return noon(10) }
			r := recruitment.New(db, audit.New(db, now), noPilots, now)
			study, unit := id.New[id.Study](), id.New[id.Case]()
			err = r.SetQuota(ctx, researcher, study, unit, recruitment.QuotaSME, 20)
			for i := range waiting + 14 {
				if err == nil && i%1000 == 0 {
					err = db.Tx(ctx, func(tx *database.Tx) error { return candidates(ctx, tx, study, unit, i, min(i+1000, waiting+14)) })
				}
			}
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if f, err := r.Forecast(ctx, study, plan, noon(40)); err != nil || f.Basis.Contacts != 14 {
					b.Fatal(f.Basis.Contacts, err)
				}
			}
		})
	}
}

// candidates inserts people by number, of whom the first fourteen were asked.
func candidates(ctx context.Context, tx *database.Tx, study id.Study, unit id.Case, from, to int) error {
	for i := from; i < to; i++ {
		state, asked := recruitment.Candidate, 0
		if i < 14 {
			state, asked = recruitment.Contacted, 1
		}
		if _, err := tx.Exec(ctx, `insert into participant (person_id, study_id, code, case_id, audience, relation, size, title, source,
			recruiter_id, state, reached, state_at, created_at, contacted_at, next_at, events)
			values ($1, $2, $3, $4, 'company', 'member', 'small', '', 'website', '', $5, $5, $6, $6, 0, 0, $7)`,
			id.New[id.Person](), study, fmt.Sprintf("A%d", i), unit, state, noon(i%14+1).UnixMilli(), asked); err != nil {
			return err
		}
	}
	return nil
}
