package recruitment

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// PersonsAfter lists those of a study who were not erased in the order of their ids, from behind one of them, at most so many.
func (r *Recruitment) PersonsAfter(ctx context.Context, study id.Study, after id.Person, most int) ([]id.Person, error) {
	persons, err := database.Values[id.Person](ctx, r.db, "select person_id from participant where study_id = $1 and code <> '' and person_id > $2 order by person_id limit $3", study, after, most)
	if err != nil {
		return nil, fmt.Errorf("list persons: %w", err)
	}
	return persons, nil
}

// Present counts those of a study who were not erased.
func (r *Recruitment) Present(ctx context.Context, study id.Study) (n int64, err error) {
	err = r.db.QueryRow(ctx, "select count(*) from participant where study_id = $1 and code <> ''", study).Scan(&n)
	return n, err
}

// Group is how many people of one case and size were interviewed.
type Group struct {
	Case   id.Case
	Size   Size
	People int
}

// SmallGroups lists the groups of case and size of whom fewer than so many were interviewed: few enough to be recognised.
func (r *Recruitment) SmallGroups(ctx context.Context, study id.Study, least int) ([]Group, error) {
	groups, err := database.All(ctx, r.db, func(row database.Scanner) (g Group, err error) {
		err = row.Scan(&g.Case, &g.Size, &g.People)
		return g, err
	}, `select case_id, size, count(*) from participant where study_id = $1 and stage = $2
		group by case_id, size having count(*) < $3 order by case_id, size`, study, StageDone, least)
	if err != nil {
		return nil, fmt.Errorf("count groups: %w", err)
	}
	return groups, nil
}

// Clear deletes what outlived the persons of a study: tombstones, and the cases kept of nobody's.
func (r *Recruitment) Clear(ctx context.Context, tx *database.Tx, study id.Study) error {
	for _, table := range []string{"referral_coupon", "participant_attribute", "contact_plan", "contact_log", "participant_change", "participant", "invitation_batch", "saved_view", "anonymous"} {
		if _, err := tx.Exec(ctx, "delete from "+table+" where study_id = $1", study); err != nil {
			return fmt.Errorf("clear %s: %w", table, err)
		}
	}
	return nil
}

// At counts those of a study who stand at a stage.
func (r *Recruitment) At(ctx context.Context, study id.Study, stage Stage) (n int, err error) {
	err = r.db.QueryRow(ctx, "select count(*) from participant where study_id = $1 and stage = $2", study, stage).Scan(&n)
	return n, err
}
