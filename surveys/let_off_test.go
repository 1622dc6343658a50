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
