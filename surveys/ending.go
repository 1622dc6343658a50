package surveys

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// PersonsAfter lists those who are asked in any survey of a study in the order of their ids, from behind one of them, at most
// so many.
func (s *Surveys) PersonsAfter(ctx context.Context, study id.Study, after id.Person, most int) ([]id.Person, error) {
	persons, err := database.Values[id.Person](ctx, s.db, "select distinct person_id from survey_respondent where study_id = $1 and person_id > $2 order by person_id limit $3", study, after, most)
	if err != nil {
		return nil, fmt.Errorf("list respondents: %w", err)
	}
	return persons, nil
}

// Totals counts a study's respondents, and the answers that were sent.
func (s *Surveys) Totals(ctx context.Context, study id.Study) (respondents, answers int64, err error) {
	err = s.db.QueryRow(ctx, `select (select count(*) from survey_respondent where study_id = $1),
		(select count(*) from survey_response where study_id = $1 and submitted_at > 0)`, study).Scan(&respondents, &answers)
	return respondents, answers, err
}

// LastAnswerAt is when the last answer of a study was sent, UTC milliseconds; 0 where none was.
func (s *Surveys) LastAnswerAt(ctx context.Context, study id.Study) (at int64, err error) {
	err = s.db.QueryRow(ctx, "select coalesce(max(submitted_at), 0) from survey_response where study_id = $1", study).Scan(&at)
	return at, err
}

// Clear deletes the answers that outlived the respondents of a study.
func (s *Surveys) Clear(ctx context.Context, tx *database.Tx, study id.Study) error {
	for _, table := range []string{"survey_response", "survey_respondent"} {
		if _, err := tx.Exec(ctx, "delete from "+table+" where study_id = $1", study); err != nil {
			return fmt.Errorf("clear %s: %w", table, err)
		}
	}
	return nil
}
