package interviews

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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

// Detach keeps that people were interviewed and which themes they mentioned, under nobody's ids: without appointment, date or
// hour, the duration rounded to a quarter. The rows are written anew, so that their place in the file does not tell of the
// old ones; and with all that were detached before, in the order of their random ids, so that it tells of no order either.
func (s *Interviews) Detach(ctx context.Context, tx *database.Tx, study id.Study, nobodies map[id.Person]id.Person) error {
	var held []Held
	var marks []marked
	for some := range database.Chunks(slices.Collect(maps.Keys(nobodies))) {
		list, args := database.In(some, study)
		theirs, said, err := take(ctx, tx, "study_id = $1 and person_id in "+list, "study_id = $1 and person_id in "+list, args...)
		if err != nil {
			return err
		}
		held, marks = append(held, theirs...), append(marks, said...)
	}
	if len(held)+len(marks) == 0 {
		return nil
	}
	left := map[id.Person]id.Person{}
	for i, h := range held {
		left[h.Person] = nobodies[h.Person]
		held[i].ID, held[i].Person, held[i].Minutes = id.New[id.Interview](), nobodies[h.Person], roughly(h.Minutes)
	}
	for i, m := range marks {
		left[m.person] = nobodies[m.person]
		marks[i].person = nobodies[m.person]
	}
	if err := s.keep(ctx, tx, study, left); err != nil {
		return err
	}
	// Those from before are known by having no time.
	before, said, err := take(ctx, tx, "study_id = $1 and created_at = 0", "study_id = $1 and marked_at = 0", study)
	if err != nil {
		return err
	}
	return insertDetached(ctx, tx, study, append(held, before...), append(marks, said...))
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

// take deletes interviews and marks, and returns them.
func take(ctx context.Context, tx *database.Tx, interviews, marks string, args ...any) ([]Held, []marked, error) {
	held, err := database.All(ctx, tx, scan, "delete from interview where "+interviews+" returning "+columns, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("detach interviews: %w", err)
	}
	said, err := database.All(ctx, tx, func(row database.Scanner) (m marked, err error) {
		err = row.Scan(&m.theme, &m.person, &m.mark)
		return m, err
	}, "delete from coding_mark where "+marks+" returning theme_key, person_id, mark", args...)
	if err != nil {
		return nil, nil, fmt.Errorf("detach marks: %w", err)
	}
	return held, said, nil
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
