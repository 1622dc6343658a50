package interviews

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Total counts a study's interviews.
func (s *Interviews) Total(ctx context.Context, study id.Study) (n int64, err error) {
	err = s.db.QueryRow(ctx, "select count(*) from interview where study_id = $1", study).Scan(&n)
	return n, err
}

// Clear deletes the interviews and marks that outlived the persons of a study.
func (s *Interviews) Clear(ctx context.Context, tx *database.Tx, study id.Study) error {
	for _, table := range []string{"interview", "coding_mark"} {
		if _, err := tx.Exec(ctx, "delete from "+table+" where study_id = $1", study); err != nil {
			return fmt.Errorf("clear %s: %w", table, err)
		}
	}
	return nil
}
