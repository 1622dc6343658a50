package surveys_test

import (
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// Who no longer wants to be asked is out, with a draft; answers that were sent stay, and so do those who were asked
// without an interview.
func TestLetOff(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		f := open(t, db, "respondent")
		for i, p := range []id.Person{"began", "answered"} {
			must(t, f.AddInformant(t.Context(), staff, surveys.Respondent{Person: p, Code: []string{"A1", "A2"}[i], Survey: f.survey, Study: study}))
			f.answer(t, p, "3", "7")
		}
		must(t, f.submit(t, "answered"))
		for _, p := range []id.Person{"began", "answered", "respondent"} {
			must(t, db.Tx(t.Context(), func(tx *database.Tx) error { return f.LetOffTx(t.Context(), tx, study, p) }))
		}
		for p, want := range map[id.Person]surveys.Progress{"began": surveys.Out, "answered": surveys.Answered, "respondent": surveys.Listed} {
			if got := f.state(t, p); got != want {
				t.Errorf("%s is %s, want %s", p, got, want)
			}
		}
		if saved, err := f.SavedOf(t.Context(), study, f.survey, "began"); err != nil || saved.SavedAt != 0 {
			t.Errorf("the draft is still there: %+v (%v)", saved, err)
		}
	})
}

// Who does not want to be asked again is out of every survey, informant or not; who said no to one is counted as that, and
// answers that were sent stay.
func TestRefuse(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		f := open(t, db, "listed", "invited", "declined", "answered")
		if n, err := f.ListedAmong(t.Context(), study, f.survey, []id.Person{"listed", "invited", "stranger"}); n != 2 || err != nil {
			t.Errorf("%d listed (%v), want 2", n, err)
		}
		if n, err := f.Invite(t.Context(), staff, study, f.survey, []id.Person{"invited", "declined", "answered"}); n != 3 || err != nil {
			t.Fatalf("invited %d, %v", n, err)
		}
		must(t, f.Decline(t.Context(), study, f.survey, "declined"))
		f.answer(t, "answered", "3", "7")
		must(t, f.submit(t, "answered"))
		for _, p := range []id.Person{"listed", "invited", "declined", "answered", "stranger"} {
			for time, want := range []bool{p != "declined" && p != "stranger", false} {
				must(t, db.Tx(t.Context(), func(tx *database.Tx) error {
					moved, err := f.RefuseTx(t.Context(), tx, study, p)
					if moved != want {
						t.Errorf("%s, time %d: moved %v", p, time, moved)
					}
					return err
				}))
			}
		}
		for p, want := range map[id.Person]surveys.Progress{"listed": surveys.Out, "invited": surveys.Out, "declined": surveys.Declined, "answered": surveys.Answered} {
			if got := f.state(t, p); got != want {
				t.Errorf("%s is %s, want %s", p, got, want)
			}
		}
		if n, err := f.ListedAmong(t.Context(), study, f.survey, []id.Person{"listed", "invited"}); n != 0 || err != nil {
			t.Errorf("%d still listed (%v)", n, err)
		}
	})
}
