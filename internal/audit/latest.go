package audit

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/id"
)

// LastLeaving returns the number of a study's newest entry that tells of somebody leaving, or taking a consent back; 0 before
// the first. Where it has changed, what was read before holds more than it may. The condition is word for word that of the
// index.
func (l *Log) LastLeaving(ctx context.Context, study id.Study) (seq int64, err error) {
	err = l.db.QueryRow(ctx, `select coalesce(max(seq), 0) from audit_entry
		where study_id = $1 and action in ('person.withdrawn', 'person.erased', 'consent.withdrawn')`, study).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("ask who has left: %w", err)
	}
	return seq, nil
}

// Last is when an action was last done in a study, UTC milliseconds; 0 never.
func (l *Log) Last(ctx context.Context, study id.Study, action string) (at int64, err error) {
	err = l.db.QueryRow(ctx, "select coalesce(max(at), 0) from audit_entry where study_id = $1 and action = $2", study, action).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("ask for the last %s: %w", action, err)
	}
	return at, nil
}
