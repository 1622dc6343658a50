package mail

import (
	"errors"
	"slices"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"

	"github.com/google/go-cmp/cmp"
)

// A batch is counted, retried and stopped as one, and no mail outside it is touched.
func TestBatch(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, clock, transport := t.Context(), newClock(), &memory{}
		outbox := New(db, clock.now)
		study, batch, other := id.New[id.Study](), id.New[id.Batch](), id.New[id.Batch]()
		var persons []id.Person
		for i := range 5 {
			persons = append(persons, id.New[id.Person]())
			for _, b := range []id.Batch{batch, other, ""} {
				at := clock.now().Add(time.Duration(i) * time.Minute).UnixMilli()
				if err := outbox.Send(ctx, Mail{Study: study, Person: persons[i], Kind: "letter", Batch: b, NotBefore: at}); err != nil {
					t.Fatal(err)
				}
			}
		}
		refused := renderer{func(row Row) error {
			switch row.Person {
			case persons[1]:
				return ErrNoAddress
			case persons[2]:
				return ErrStale
			}
			return nil
		}}
		sender := NewSender(outbox, refused, transport, Address{Email: "feltbok@example.org"})
		clock.move(2 * time.Minute)
		if _, err := sender.SendDue(ctx); err != nil {
			t.Fatal(err)
		}
		counted := func(want map[State]int) {
			t.Helper()
			got, err := outbox.BatchCounts(ctx, batch, other)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got[batch]); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if got[other][Waiting] != 2 {
				t.Errorf("the other batch has %v", got[other])
			}
		}
		counted(map[State]int{Sent: 1, Failed: 1, Stale: 1, Waiting: 2})
		if end, err := outbox.BatchEnd(ctx, batch); err != nil || end != newClock().now().Add(4*time.Minute).UnixMilli() {
			t.Errorf("the last is due at %d, %v", end, err)
		}
		failed, err := outbox.BatchFailed(ctx, batch, 10)
		if err != nil || len(failed) != 1 || failed[0].Person != persons[1] || failed[0].Batch != batch || failed[0].Reason != "no_address" {
			t.Errorf("failed %+v, %v", failed, err)
		}
		holders, err := outbox.Holders(ctx, study, "letter", persons)
		if diff := cmp.Diff(map[id.Person]bool{persons[0]: true, persons[3]: true, persons[4]: true}, holders); diff != "" || err != nil {
			t.Errorf("holders %v (-want +got):\n%s", err, diff)
		}

		if n, err := outbox.RetryBatch(ctx, audit.System, study, batch); n != 1 || err != nil {
			t.Errorf("retried %d, %v", n, err)
		}
		if _, err := outbox.RetryBatch(ctx, audit.System, study, batch); !errors.Is(err, ErrNotFailed) {
			t.Errorf("retried with none failed: %v", err)
		}
		counted(map[State]int{Sent: 1, Stale: 1, Waiting: 3})

		word, err := outbox.claim(ctx, mustFind(t, outbox, batch, persons[3]), true)
		if err != nil || word == "" {
			t.Fatalf("claim: %q, %v", word, err)
		}
		waiting, err := outbox.BatchWaiting(ctx, batch, 10)
		if diff := cmp.Diff([]id.Person{persons[1], persons[3], persons[4]}, waiting); diff != "" || err != nil {
			t.Errorf("waiting %v (-want +got):\n%s", err, diff)
		}
		var spared []id.Person
		if err := db.Tx(ctx, func(tx *database.Tx) (err error) {
			spared, err = outbox.DropBatch(ctx, tx, batch, persons)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(spared)
		if diff := cmp.Diff(slices.Sorted(slices.Values([]id.Person{persons[1], persons[4]})), spared); diff != "" {
			t.Errorf("nothing goes to (-want +got):\n%s", diff)
		}
		counted(map[State]int{Sent: 1, Stale: 1, Dropped: 3})
	})
}

// mustFind reads a batch's mail to a person.
func mustFind(t *testing.T, outbox *Outbox, batch id.Batch, person id.Person) Row {
	t.Helper()
	row, err := scan(outbox.db.QueryRow(t.Context(), "select "+columns+" from mail where batch = $1 and person_id = $2", batch, person))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestDropTo(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, outbox, study := t.Context(), New(db, newClock().now), id.New[id.Study]()
		one, other := id.New[id.Person](), id.New[id.Person]()
		for _, person := range []id.Person{one, other} {
			for _, kind := range []string{"letter", "survey_invitation", "booking_confirmed"} {
				if err := outbox.Send(ctx, Mail{Study: study, Person: person, Kind: kind}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, want := range []bool{true, false} {
			if err := db.Tx(ctx, func(tx *database.Tx) error {
				dropped, err := outbox.DropTo(ctx, tx, one, "letter", "survey_invitation")
				if dropped != want {
					t.Errorf("dropped %v, want %v", dropped, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		counts, err := outbox.Counts(ctx, study)
		if diff := cmp.Diff(map[State]int{Waiting: 4, Dropped: 2}, counts); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
