package surveys_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// Many come in under the survey's next codes, in their order, and the next one alone goes on behind them.
func TestManyAreListed(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		f := newField(t, db)
		f.list(t, "first")
		var many []surveys.Respondent
		for i := range 250 {
			many = append(many, surveys.Respondent{Person: id.Person(fmt.Sprintf("p%d", i)), Case: "a", Role: "Leder", Size: "small"})
		}
		must(t, db.Tx(t.Context(), func(tx *database.Tx) error { return f.InsertAllTx(t.Context(), tx, study, f.survey, many) }))
		f.list(t, "last")
		all, err := f.Respondents(t.Context(), study, f.survey)
		must(t, err)
		if len(all) != 252 || all[1].Person != "p0" || all[1].Code != "R2" || all[250].Person != "p249" || all[250].Code != "R251" ||
			all[251].Code != "R252" || all[1].State != surveys.Listed || all[1].Role != "Leder" {
			t.Errorf("%d listed: %+v, %+v", len(all), all[1], all[len(all)-1])
		}
		asked, err := f.Codes(t.Context(), study, []id.Person{"p3", "nobody", "last"})
		if err != nil || len(asked) != 2 || asked["p3"] != "R5" || asked["last"] != "R252" {
			t.Errorf("asked %v, %v", asked, err)
		}
		err = db.Tx(t.Context(), func(tx *database.Tx) error { return f.InsertAllTx(t.Context(), tx, "another", f.survey, many) })
		wantError(t, "another study's survey", err, surveys.ErrNotFound)
	})
}

// A role that is too long is said at its field.
func TestCheckRespondent(t *testing.T) {
	if err := (surveys.Respondent{Role: strings.Repeat("å", 80)}).Check(); err != nil {
		t.Error(err)
	}
	err := (surveys.Respondent{Role: strings.Repeat("å", 81)}).Check()
	if fields := errs.FieldsOf(err); len(fields) != 1 || fields[0].Name != "role" || fields[0].Code != "too_long" {
		t.Errorf("got %v", err)
	}
}
