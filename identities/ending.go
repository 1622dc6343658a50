package identities

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// PersonsAfter lists those of a study whom the vault knows, tips among them, in the order of their ids, from behind one of
// them, at most so many. It opens none.
func (v *Vault) PersonsAfter(ctx context.Context, study id.Study, after id.Person, most int) ([]id.Person, error) {
	persons, err := database.Values[id.Person](ctx, v.db,
		"select person_id from identity where study_id = $1 and person_id > $2 order by person_id limit $3", study, after, most)
	if err != nil {
		return nil, fmt.Errorf("list persons: %w", err)
	}
	return persons, nil
}

// Total counts those of a study whom the vault knows, and the tips among them.
func (v *Vault) Total(ctx context.Context, study id.Study) (persons, tips int64, err error) {
	err = v.db.QueryRow(ctx, "select (select count(*) from identity where study_id = $1), (select count(*) from tip where study_id = $1)", study).Scan(&persons, &tips)
	return persons, tips, err
}

// DraftsOf lists the drafts of a study.
func (v *Vault) DraftsOf(ctx context.Context, study id.Study) ([]id.Import, error) {
	return database.Values[id.Import](ctx, v.db, "select id from draft where study_id = $1 order by id", study)
}

// Clear deletes what is left of a study when its persons and drafts are erased: whom not to contact again, which is of no use
// once nobody can be.
func (v *Vault) Clear(ctx context.Context, study id.Study) error {
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		for _, table := range []string{"no_contact", "note", "signature", "former_address"} {
			if _, err := tx.Exec(ctx, "delete from "+table+" where study_id = $1", study); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clear vault: %w", err)
	}
	return v.db.Scrub(ctx, "no_contact", "note", "signature", "former_address")
}
