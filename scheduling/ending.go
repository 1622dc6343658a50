package scheduling

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Total counts a study's bookings, cancelled ones among them.
func (s *Scheduling) Total(ctx context.Context, study id.Study) (n int64, err error) {
	err = s.db.QueryRow(ctx, "select count(*) from booking where study_id = $1", study).Scan(&n)
	return n, err
}

// CancelStudyTx cancels every booking of a study that is still to be, when the study ends.
func (s *Scheduling) CancelStudyTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study) error {
	open, err := database.All(ctx, tx, scanBooking, "select "+bookingColumns+" from booking where study_id = $1 and state = 'booked' and ends_at > $2 order by person_id, id",
		study, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("list open bookings: %w", err)
	}
	for _, b := range open {
		if err := personTurn(ctx, tx, study, b.Person); err != nil {
			return err
		}
		// Read again in its turn: on PostgreSQL it may have been moved meanwhile.
		if b, err = get(ctx, tx, study, b.ID); err != nil {
			return err
		}
		if b.State != Booked {
			continue
		}
		b.Message = ""
		if err := s.cancel(ctx, tx, actor, b); err != nil {
			return err
		}
	}
	return nil
}
