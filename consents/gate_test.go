package consents_test

import (
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// later is the same world at another moment.
func (w *world) later(d time.Duration) *consents.Consents {
	return consents.New(w.db, w.log, w.present, w.advance, w, func() time.Time { return noon.Add(d) })
}

func (w *world) inTx(t *testing.T, fn func(tx *database.Tx) error) {
	t.Helper()
	if err := w.db.Tx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (w *world) restrict(t *testing.T, person id.Person, kind string) {
	t.Helper()
	w.inTx(t, func(tx *database.Tx) error {
		return w.RestrictTx(t.Context(), tx, audit.Participant(person), w.study, person, kind)
	})
}

// The gate answers alike one by one, for many and for a whole study: within a transaction and without.
func TestGate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		yes, no, kept, stranger := w.act(l, yesToAll(l)), w.act(l, yesToAll(l)), w.act(l, yesToAll(l)), id.New[id.Person]()
		for _, act := range []consents.Act{yes, no, kept} {
			w.record(t, act)
		}
		if err := w.withdraw(t.Context(), audit.Participant(no.Person), no.Person, []string{consents.Recording}); err != nil {
			t.Fatal(err)
		}
		w.restrict(t, kept.Person, consents.Restrict)
		all, err := w.AnswersOf(t.Context(), w.study)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name        string
			person      id.Person
			purpose     string
			may, before error
		}{
			{"yes", yes.Person, consents.Recording, nil, nil},
			{"no", no.Person, consents.Recording, consents.ErrNo, consents.ErrNo},
			{"yes to another purpose", no.Person, consents.Quotation, nil, nil},
			{"restricted after a yes", kept.Person, consents.Recording, consents.ErrRestricted, consents.ErrRestricted},
			{"never asked", stranger, consents.Recording, consents.ErrUnasked, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				wantErr(t, w.MayNow(t.Context(), w.study, c.person, c.purpose), c.may)
				wantErr(t, w.MayBeforeYesNow(t.Context(), w.study, c.person, c.purpose), c.before)
				wantErr(t, all.May(c.person, c.purpose), c.may)
				wantErr(t, all.MayBeforeYes(c.person, c.purpose), c.before)
				stopped, err := w.Stopped(t.Context(), w.db, w.study, c.purpose, []id.Person{c.person, id.New[id.Person]()})
				if err != nil || len(stopped) > 1 {
					t.Fatal(stopped, err)
				}
				wantErr(t, stopped[c.person], c.before)
				w.inTx(t, func(tx *database.Tx) error {
					wantErr(t, w.May(t.Context(), tx, w.study, c.person, c.purpose), c.may)
					return nil
				})
			})
		}
		if restricted, err := w.Restricted(t.Context(), "other"); err != nil || len(restricted) != 0 {
			t.Errorf("another study's restrictions: %v, %v", restricted, err)
		}
	})
}

// A no that became a yes again stops nobody, whichever way many are asked about.
func TestGateGoesByTheNewestAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		w.record(t, act)
		if err := w.withdraw(t.Context(), audit.Participant(act.Person), act.Person, nil); err != nil {
			t.Fatal(err)
		}
		w.record(t, act)
		stopped, err := w.Stopped(t.Context(), w.db, w.study, consents.Interview, []id.Person{act.Person})
		if err != nil || len(stopped) != 0 {
			t.Errorf("stopped %v, %v", stopped, err)
		}
	})
}

// A restriction ends a day after the person was told, and not before; asking again meanwhile keeps it.
func TestRestrictionEndsWithNotice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, person := t.Context(), id.New[id.Person]()
		release := func() (ends bool) {
			w.inTx(t, func(tx *database.Tx) (err error) {
				ends, err = w.ReleaseTx(ctx, tx, staff, w.study, person)
				return err
			})
			return ends
		}
		if release() {
			t.Error("a restriction that nobody made ends")
		}
		w.restrict(t, person, consents.Object)
		w.restrict(t, person, consents.Restrict) // a second changes nothing
		if r, err := w.RestrictionOf(ctx, person); err != nil || r.Kind != consents.Object || r.At != noon.UnixMilli() || r.Lifts != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if !release() || release() {
			t.Error("it ends once")
		}
		before, after := w.later(consents.Notice-time.Minute), w.later(consents.Notice+time.Minute)
		wantErr(t, before.MayBeforeYesNow(ctx, w.study, person, consents.Interview), consents.ErrRestricted)
		wantErr(t, after.MayBeforeYesNow(ctx, w.study, person, consents.Interview), nil)
		if all, err := after.Restricted(ctx, w.study); err != nil || len(all) != 0 {
			t.Errorf("restricted after its end: %v, %v", all, err)
		}
		w.restrict(t, person, consents.Restrict)
		wantErr(t, after.MayBeforeYesNow(ctx, w.study, person, consents.Interview), consents.ErrRestricted)
		entries, err := w.log.About(ctx, w.study, person)
		if err != nil || len(entries) != 3 {
			t.Errorf("the log has %d entries, want restricted, released, restricted: %+v, %v", len(entries), entries, err)
		}
	})
}
