package recruitment

import (
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Anonymous is who is left of somebody whose study keeps what was said without them. The tombstone counts the person; this one
// counts nowhere and is on no list of people.
type Anonymous struct {
	ID   id.Person // was never a person's
	Case id.Case
	Code string // invented
}

const mostInventions = 20

// KeepCaseTx keeps of a participant who is about to be erased their case, under an id and a code that lead to nobody. For
// somebody who is no participant, or erased, it does nothing.
func (r *Recruitment) KeepCaseTx(ctx context.Context, tx *database.Tx, study id.Study, person, nobody id.Person) error {
	for range mostInventions {
		n, err := tx.Exec(ctx, `insert into anonymous (person_id, study_id, case_id, code)
			select $3, study_id, case_id, $4 from participant where study_id = $1 and person_id = $2 and code <> '' on conflict do nothing`,
			study, person, nobody, id.InventCode())
		if err != nil {
			return fmt.Errorf("keep case: %w", err)
		}
		if n == 1 {
			return nil
		}
		if err := r.HoldTx(ctx, tx, study, person); errors.Is(err, ErrUnknown) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return fmt.Errorf("keep case: no free code in %d draws", mostInventions)
}

// Anonymous lists who is left of those whom a study keeps without themselves, by code.
func (r *Recruitment) Anonymous(ctx context.Context, study id.Study) ([]Anonymous, error) {
	return database.All(ctx, r.db, func(row database.Scanner) (a Anonymous, err error) {
		err = row.Scan(&a.ID, &a.Case, &a.Code)
		return a, err
	}, "select person_id, case_id, code from anonymous where study_id = $1 order by code", study)
}
