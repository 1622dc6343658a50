package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

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

// KeepCasesTx keeps of participants who are about to be erased their case, under the id that nobodies gives for each and a code
// that leads to nobody either. Of somebody who is no participant, or erased, it keeps nothing. All that was kept before is
// written anew with it, in the order of the random ids: no row's place in the file tells who left when.
func (r *Recruitment) KeepCasesTx(ctx context.Context, tx *database.Tx, study id.Study, nobodies map[id.Person]id.Person) error {
	var kept []Anonymous
	for some := range database.Chunks(slices.Collect(maps.Keys(nobodies))) {
		list, args := database.In(some, study)
		cases, err := database.All(ctx, tx, scanAnonymous,
			"select person_id, case_id, '' from participant where study_id = $1 and code <> '' and person_id in "+list, args...)
		if err != nil {
			return fmt.Errorf("keep cases: %w", err)
		}
		kept = append(kept, cases...)
	}
	if len(kept) == 0 {
		return nil
	}
	codes, err := id.InventCodes(len(kept), func(codes []string) ([]string, error) {
		list, args := database.In(codes, study)
		return database.Values[string](ctx, tx, "select code from anonymous where study_id = $1 and code in "+list, args...)
	})
	if err != nil {
		return fmt.Errorf("keep cases: %w", err)
	}
	for i := range kept {
		kept[i].ID, kept[i].Code = nobodies[kept[i].ID], codes[i]
	}
	before, err := database.All(ctx, tx, scanAnonymous, "delete from anonymous where study_id = $1 returning "+anonymousColumns, study)
	if err != nil {
		return fmt.Errorf("keep cases: %w", err)
	}
	kept = append(kept, before...)
	slices.SortFunc(kept, func(a, b Anonymous) int { return cmp.Compare(a.ID, b.ID) })
	rows := make([][]any, len(kept))
	for i, a := range kept {
		rows[i] = []any{a.ID, a.Case, a.Code, study}
	}
	if _, err := tx.Insert(ctx, "anonymous ("+anonymousColumns+", study_id)", rows, ""); err != nil {
		return fmt.Errorf("keep cases: %w", err)
	}
	return nil
}

const anonymousColumns = "person_id, case_id, code"

func scanAnonymous(row database.Scanner) (a Anonymous, err error) {
	err = row.Scan(&a.ID, &a.Case, &a.Code)
	return a, err
}

// Anonymous lists who is left of those whom a study keeps without themselves, by code.
func (r *Recruitment) Anonymous(ctx context.Context, study id.Study) ([]Anonymous, error) {
	return database.All(ctx, r.db, scanAnonymous, "select "+anonymousColumns+" from anonymous where study_id = $1 order by code", study)
}
