package recruitment_test

import (
	"errors"
	"testing"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

// tx runs fn in a transaction.
func (f *field) tx(fn func(tx *database.Tx) error) {
	f.t.Helper()
	if err := f.db.Tx(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

func TestBatches(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		one := recruitment.Batch{ID: id.New[id.Batch](), Study: f.study, FirstAt: 5_000_000, PerHour: 60}
		later := recruitment.Batch{ID: id.New[id.Batch](), Study: f.study, FirstAt: 7_000_000, PerHour: 1}
		put := func(b recruitment.Batch, n int) {
			t.Helper()
			f.tx(func(tx *database.Tx) error { return f.PutBatchTx(ctx, tx, researcher, b, n) })
		}
		put(one, 500)
		put(one, 20)
		f.now = f.now.Add(1)
		put(later, 3)
		all, err := f.Batches(ctx, f.study, 10)
		if err != nil || len(all) != 2 || all[0].Size+all[1].Size != 523 {
			t.Errorf("batches %+v, %v", all, err)
		}
		if some, err := f.Batches(ctx, id.New[id.Study](), 10); err != nil || len(some) != 0 {
			t.Errorf("another study has %v, %v", some, err)
		}
		stop := func(study id.Study) error {
			return f.db.Tx(ctx, func(tx *database.Tx) error { return f.StopBatchTx(ctx, tx, researcher, study, one.ID) })
		}
		if err := stop(id.New[id.Study]()); !errors.Is(err, recruitment.ErrNoBatch) {
			t.Errorf("stopped from another study: %v", err)
		}
		for range 2 {
			if err := stop(f.study); err != nil {
				t.Fatal(err)
			}
		}
		got, err := f.Batch(ctx, f.study, one.ID)
		want := recruitment.Batch{ID: one.ID, Study: f.study, Actor: researcher, At: 1_000_000, FirstAt: 5_000_000, PerHour: 60, Size: 520, StoppedAt: f.now.UnixMilli()}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		entries, err := f.log.Newest(ctx, f.study, 10)
		var acts []string
		for _, e := range entries {
			acts = append(acts, e.Action)
		}
		if diff := cmp.Diff([]string{"invitation.stopped", "invitation.sent", "invitation.sent", "invitation.sent"}, acts); diff != "" || err != nil {
			t.Errorf("the chain %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestBatchPace(t *testing.T) {
	for _, tc := range []struct {
		perHour, n int
		want       int64 // milliseconds after the first; -1 is refused
	}{
		{60, 0, 0}, {60, 1, 60_000}, {60, 61, 61 * 60_000}, {1, 2, 2 * 3_600_000}, {3600, 3, 3000}, {7, 7, 3_600_000}, {60, 1_000_000, 60_000_000_000},
		{0, 0, -1}, {-1, 0, -1}, {3601, 0, -1},
	} {
		b := recruitment.Batch{FirstAt: 1000, PerHour: tc.perHour}
		if err := b.Check(); (err != nil) != (tc.want < 0) {
			t.Errorf("%d an hour: %v", tc.perHour, err)
		} else if err == nil && b.LeavesAt(tc.n) != 1000+tc.want {
			t.Errorf("%d an hour, after %d others: %d", tc.perHour, tc.n, b.LeavesAt(tc.n))
		}
	}
}

// The letter is sent to whoever may be asked, and what is taken back leaves people where they stood.
func TestInformAndUninform(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		for i, tc := range []struct {
			name           string
			before         []recruitment.State
			may            bool
			informed, back recruitment.State
		}{
			{"candidate", nil, true, recruitment.Informed, recruitment.Candidate},
			{"interested", []recruitment.State{recruitment.Interested}, true, recruitment.Informed, recruitment.Interested},
			{"never answered", []recruitment.State{recruitment.Contacted, recruitment.NoAnswer}, true, recruitment.Informed, recruitment.NoAnswer},
			{"said no", []recruitment.State{recruitment.Declined}, false, recruitment.Declined, recruitment.Declined},
			{"out", []recruitment.State{recruitment.Withdrawn}, false, recruitment.Withdrawn, recruitment.Withdrawn},
			{"not eligible", []recruitment.State{recruitment.Ineligible}, false, recruitment.Ineligible, recruitment.Ineligible},
			{"further already", []recruitment.State{recruitment.Consented}, true, recruitment.Consented, recruitment.Consented},
		} {
			person := f.add(f.participant("A" + string(rune('1'+i))))
			f.advance(person, tc.before...)
			f.tx(func(tx *database.Tx) error {
				may, err := f.InformTx(ctx, tx, researcher, f.study, person)
				if may != tc.may {
					t.Errorf("%s: may be sent the letter: %v", tc.name, may)
				}
				return err
			})
			if got := f.state(person); got != tc.informed {
				t.Errorf("%s: sent the letter, and is %q", tc.name, got)
			}
			before, err := f.Get(ctx, f.study, person)
			if err != nil {
				t.Fatal(err)
			}
			f.tx(func(tx *database.Tx) error { return f.UninformTx(ctx, tx, researcher, f.study, person) })
			if got := f.state(person); got != tc.back {
				t.Errorf("%s: the letter taken back, and is %q", tc.name, got)
			}
			after, err := f.Get(ctx, f.study, person)
			if err != nil || tc.back == recruitment.Candidate && after.Reached != recruitment.Candidate || tc.informed == tc.back && after.Reached != before.Reached {
				t.Errorf("%s: reached %q, %v", tc.name, after.Reached, err)
			}
		}
		f.tx(func(tx *database.Tx) error {
			may, err := f.InformTx(ctx, tx, researcher, f.study, id.New[id.Person]())
			if may || err != nil {
				t.Errorf("somebody unknown: %v, %v", may, err)
			}
			return f.UninformTx(ctx, tx, researcher, f.study, id.New[id.Person]())
		})
	})
}

// Not wanting to be asked is a no from whoever has not said yes, and nothing new from anybody else.
func TestRefuse(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		for i, tc := range []struct {
			before []recruitment.State
			moved  bool
			want   recruitment.State
		}{
			{nil, true, recruitment.Declined},
			{[]recruitment.State{recruitment.Informed}, true, recruitment.Declined},
			{[]recruitment.State{recruitment.NoAnswer}, true, recruitment.Declined},
			{[]recruitment.State{recruitment.Declined}, false, recruitment.Declined},
			{[]recruitment.State{recruitment.Withdrawn}, false, recruitment.Withdrawn},
			{[]recruitment.State{recruitment.Consented}, false, recruitment.Consented},
			{[]recruitment.State{recruitment.Booked}, false, recruitment.Booked},
			{[]recruitment.State{recruitment.Booked, recruitment.Interviewed}, false, recruitment.Interviewed},
		} {
			person := f.add(f.participant("A" + string(rune('1'+i))))
			f.advance(person, tc.before...)
			f.tx(func(tx *database.Tx) error {
				moved, err := f.RefuseTx(ctx, tx, f.study, person, audit.Participant(person))
				if moved != tc.moved {
					t.Errorf("%v: moved %v", tc.before, moved)
				}
				return err
			})
			if got := f.state(person); got != tc.want {
				t.Errorf("%v: is %q, want %q", tc.before, got, tc.want)
			}
		}
	})
}
