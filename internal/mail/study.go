package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// DropStudy takes the waiting mails of a study out of the queue, except those of the given kinds. One that is being sent at
// this moment goes.
func (o *Outbox) DropStudy(ctx context.Context, tx *database.Tx, study id.Study, except ...string) error {
	list, args := database.In(except, study, o.now().UnixMilli())
	_, err := tx.Exec(ctx, "update mail set state = 'dropped', done_at = $2 where study_id = $1 and state = 'waiting' and kind not in "+list, args...)
	if err != nil {
		return fmt.Errorf("drop mails: %w", err)
	}
	return nil
}

// KindCounts says how many of a study's mails of a kind there are in each state.
func (o *Outbox) KindCounts(ctx context.Context, study id.Study, kind string) (map[State]int64, error) {
	counts := map[State]int64{}
	err := database.Each(ctx, o.db, func(row database.Scanner) error {
		var state State
		var n int64
		err := row.Scan(&state, &n)
		counts[state] = n
		return err
	}, "select state, count(*) from mail where study_id = $1 and kind = $2 group by state", study, kind)
	return counts, err
}

// ToPersons counts the mails to participants of a study that went.
func (o *Outbox) ToPersons(ctx context.Context, study id.Study) (n int64, err error) {
	err = o.db.QueryRow(ctx, "select count(*) from mail where study_id = $1 and state = 'sent' and person_id <> ''", study).Scan(&n)
	return n, err
}

// Clear deletes the mails to participants of a study and those about them.
func (o *Outbox) Clear(ctx context.Context, tx *database.Tx, study id.Study) error {
	_, err := tx.Exec(ctx, "delete from mail where study_id = $1 and (person_id <> '' or about_person_id <> '')", study)
	if err != nil {
		return fmt.Errorf("clear mails: %w", err)
	}
	return nil
}

// dueOfStudy lists mails of a study whose time has come, those first that were tried least.
func (o *Outbox) dueOfStudy(ctx context.Context, study id.Study) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+` from mail where study_id = $1 and state = 'waiting' and not_before <= $2
		order by attempts, seq, id limit $3`, study, o.now().UnixMilli(), dueAtOnce)
}

// WaitingOf counts the mails of a study whose time has come and that have not left.
func (o *Outbox) WaitingOf(ctx context.Context, study id.Study) (n int64, err error) {
	err = o.db.QueryRow(ctx, "select count(*) from mail where study_id = $1 and state = 'waiting' and not_before <= $2", study, o.now().UnixMilli()).Scan(&n)
	return n, err
}

// SendStudy sends what is due of a study, for the last words before all of it is erased, for the given time at most, give or
// take an attempt, and returns how many are left. A mail that fails is not tried again here.
func (s *Sender) SendStudy(ctx context.Context, study id.Study, patience time.Duration) (left int64, err error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tried := map[id.Mail]bool{}
	for again := true; again && limited.Err() == nil; {
		again = false
		rows, err := s.outbox.dueOfStudy(ctx, study)
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			if tried[row.ID] || limited.Err() != nil {
				continue
			}
			tried[row.ID], again = true, true
			if _, err := s.attempt(context.WithoutCancel(ctx), row, true); errors.Is(err, ErrOutage) {
				return s.outbox.WaitingOf(ctx, study)
			} else if err != nil {
				return 0, err
			}
		}
	}
	return s.outbox.WaitingOf(ctx, study)
}
