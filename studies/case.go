package studies

import (
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Case is one unit of the multiple-case study, such as a cluster. A pre-study is a case too.
type Case struct {
	ID       id.Case
	Code     string // capital letters, unique in the study; begins its participants' codes
	Name     string
	Pilot    bool // a pre-study: its participants count in no goal and no funnel
	Position int  // 1, 2, 3 … in the order they were added
}

// AddCase adds a case at the end. A code that is in use is ErrCaseTaken.
func (st *Studies) AddCase(ctx context.Context, actor audit.Actor, study id.Study, code, name string) (id.Case, error) {
	c := Case{ID: id.New[id.Case](), Code: code, Name: name}
	var check errs.Check
	c.check(&check)
	if err := check.Err(); err != nil {
		return "", err
	}
	err := st.db.Tx(ctx, func(tx *database.Tx) error {
		if err := lock(ctx, tx, study); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `insert into study_case (id, study_id, code, name, pilot, position)
			select cast($1 as text), cast($2 as text), cast($3 as text), cast($4 as text), cast($5 as boolean), coalesce(max(position), 0) + 1
			from study_case where study_id = $2
			on conflict do nothing`, c.ID, study, c.Code, c.Name, c.Pilot)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrCaseTaken
		}
		return st.note(ctx, tx, actor, "study.case_added", study, string(c.ID))
	})
	if err != nil {
		return "", fmt.Errorf("add case: %w", err)
	}
	return c.ID, nil
}

// EditCase changes a case's code and name, and whether it is a pre-study. Codes that participants have already stay as
// they are.
func (st *Studies) EditCase(ctx context.Context, actor audit.Actor, study id.Study, c Case) error {
	var check errs.Check
	c.check(&check)
	if err := check.Err(); err != nil {
		return err
	}
	err := st.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update study_case set code = $3, name = $4, pilot = $5 where id = $1 and study_id = $2",
			c.ID, study, c.Code, c.Name, c.Pilot)
		if errors.Is(err, database.ErrDuplicate) {
			return ErrCaseTaken
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrUnknown
		}
		return st.note(ctx, tx, actor, "study.case_changed", study, string(c.ID))
	})
	if err != nil {
		return fmt.Errorf("edit case: %w", err)
	}
	return nil
}

// Pilots returns the cases of a study that are pre-studies, as q sees them.
func (st *Studies) Pilots(ctx context.Context, q database.Querier, study id.Study) ([]id.Case, error) {
	return database.Values[id.Case](ctx, q, "select id from study_case where study_id = $1 and pilot", study)
}

// lock makes writers of one study take turns on PostgreSQL, where each statement then sees what the one before wrote.
// An unknown study is ErrUnknown.
func lock(ctx context.Context, tx *database.Tx, study id.Study) error {
	n, err := tx.Exec(ctx, "update study set created_at = created_at where id = $1", study)
	if err == nil && n == 0 {
		return ErrUnknown
	}
	return err
}
