package interviews

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

const (
	undated = "0000-00-00" // stored for a date that is not kept
	quarter = 15           // minutes that a duration is rounded to
)

// Has says whether an interview with a person was held.
func (s *Interviews) Has(ctx context.Context, q database.Querier, study id.Study, person id.Person) (has bool, err error) {
	err = q.QueryRow(ctx, "select exists (select 1 from interview where study_id = $1 and person_id = $2)", study, person).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("ask for interviews: %w", err)
	}
	return has, nil
}

// Detach keeps that a person was interviewed and which themes they mentioned, under nobody's id: without appointment, date or
// hour, the duration rounded to a quarter. The rows are written anew, so that their place in the file does not tell of the
// old ones; and with all that were detached before, in the order of their random ids, so that it tells of no order either.
func (s *Interviews) Detach(ctx context.Context, tx *database.Tx, study id.Study, person, nobody id.Person) error {
	held, err := database.All(ctx, tx, scan, "select "+columns+" from interview where study_id = $1 and person_id = $2", study, person)
	if err != nil {
		return fmt.Errorf("detach interviews: %w", err)
	}
	marks, err := marksOf(ctx, tx, "study_id = $1 and person_id = $2", study, person)
	if err != nil || len(held)+len(marks) == 0 {
		return err
	}
	if err := s.keep(ctx, tx, study, person, nobody); err != nil {
		return err
	}
	for i := range held {
		held[i].ID, held[i].Person, held[i].Minutes = id.New[id.Interview](), nobody, roughly(held[i].Minutes)
	}
	for i := range marks {
		marks[i].person = nobody
	}
	if err := s.Erase(ctx, tx, person); err != nil {
		return err
	}
	return detached(ctx, tx, study, held, marks)
}

// roughly is a duration to the quarter.
func roughly(minutes int) int {
	if minutes == NoMinutes {
		return minutes
	}
	return max((minutes+quarter/2)/quarter, 1) * quarter
}

type marked struct {
	theme  string
	person id.Person
	mark   Mark
}

func marksOf(ctx context.Context, tx *database.Tx, where string, args ...any) ([]marked, error) {
	return database.All(ctx, tx, func(row database.Scanner) (m marked, err error) {
		err = row.Scan(&m.theme, &m.person, &m.mark)
		return m, err
	}, "select theme_key, person_id, mark from coding_mark where "+where, args...)
}

// detached writes rows of nobody's, and those that were there before, which are known by having no time.
func detached(ctx context.Context, tx *database.Tx, study id.Study, held []Held, marks []marked) error {
	before, err := database.All(ctx, tx, scan, "select "+columns+" from interview where study_id = $1 and created_at = 0", study)
	if err != nil {
		return fmt.Errorf("detach interviews: %w", err)
	}
	said, err := marksOf(ctx, tx, "study_id = $1 and marked_at = 0", study)
	if err != nil {
		return fmt.Errorf("detach marks: %w", err)
	}
	for _, statement := range []string{"delete from interview where study_id = $1 and created_at = 0", "delete from coding_mark where study_id = $1 and marked_at = 0"} {
		if _, err := tx.Exec(ctx, statement, study); err != nil {
			return fmt.Errorf("detach interviews: %w", err)
		}
	}
	return insertDetached(ctx, tx, study, append(held, before...), append(marks, said...))
}

func insertDetached(ctx context.Context, tx *database.Tx, study id.Study, held []Held, marks []marked) error {
	slices.SortFunc(held, func(a, b Held) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(marks, func(a, b marked) int { return cmp.Or(cmp.Compare(a.theme, b.theme), cmp.Compare(a.person, b.person)) })
	rows := make([][]any, len(held))
	for i, h := range held {
		rows[i] = []any{h.ID, study, h.Person, "", h.Mode, undated, 0, h.Minutes, 0}
	}
	if _, err := tx.Insert(ctx, "interview (id, study_id, person_id, booking_id, mode, held_on, started_at, minutes, created_at)", rows, ""); err != nil {
		return fmt.Errorf("detach interviews: %w", err)
	}
	rows = make([][]any, len(marks))
	for i, m := range marks {
		rows[i] = []any{study, m.theme, m.person, m.mark, 0}
	}
	if _, err := tx.Insert(ctx, "coding_mark (study_id, theme_key, person_id, mark, marked_at)", rows, ""); err != nil {
		return fmt.Errorf("detach marks: %w", err)
	}
	return nil
}
