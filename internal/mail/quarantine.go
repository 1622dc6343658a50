package mail

import (
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Quarantine is why a study's mail waits: the study was put back from a copy. What waited when the copy was made may have
// gone out since, and nobody but the team can know.
type Quarantine struct {
	MadeAt     int64 // UTC milliseconds: when the copy was made
	RestoredAt int64 // UTC milliseconds
	Overdue    int   // mails that wait and should have gone before it was put back
}

// Fate is what becomes of the overdue mails of a quarantine.
type Fate string

const (
	SendOverdue Fate = "send"
	DropOverdue Fate = "drop"
)

// ErrNotHeld is a Conflict: the study's mail does not wait, or not any more.
var ErrNotHeld = errs.New(errs.Conflict, "mail.not_held")

// free keeps mails of studies in quarantine from being sent.
const free = "not exists (select 1 from quarantine q where q.study_id = mail.study_id)"

// overdue are a study's mails that should have gone before the moment of its restore, $2. Those that are due later cannot
// have gone.
const overdue = "study_id = $1 and state = 'waiting' and created_at <= $2 and not_before <= $2"

// Hold puts the mail of some studies into quarantine. Mail that is no study's waits as well, for any study's.
func (o *Outbox) Hold(ctx context.Context, tx *database.Tx, madeAt int64, studies []id.Study) error {
	rows := [][]any{{"", madeAt, o.now().UnixMilli()}}
	for _, study := range studies {
		rows = append(rows, []any{study, madeAt, o.now().UnixMilli()})
	}
	if _, err := tx.Exec(ctx, "delete from quarantine"); err != nil { // the copy may be of a time of quarantine itself
		return fmt.Errorf("hold mail: %w", err)
	}
	if _, err := tx.Insert(ctx, "quarantine (study_id, made_at, restored_at)", rows, ""); err != nil {
		return fmt.Errorf("hold mail: %w", err)
	}
	// A dead server's leases: what it was sending goes the way of the others.
	_, err := tx.Exec(ctx, "update mail set lease = '', leased_to = 0 where state = 'waiting' and leased_to > 0")
	return err
}

// Held returns why a study's mail waits; false where it does not.
func (o *Outbox) Held(ctx context.Context, study id.Study) (q Quarantine, held bool, err error) {
	err = o.db.QueryRow(ctx, "select made_at, restored_at from quarantine where study_id = $1", study).Scan(&q.MadeAt, &q.RestoredAt)
	if errors.Is(err, database.ErrNoRows) {
		return q, false, nil
	}
	if err != nil {
		return q, false, fmt.Errorf("read quarantine: %w", err)
	}
	err = o.db.QueryRow(ctx, "select count(*) from mail where "+overdue, study, q.RestoredAt).Scan(&q.Overdue)
	return q, true, err
}

// Release ends a study's quarantine. ErrNotHeld where there is none; of two at once the second gets it, and nothing is done
// twice.
func (o *Outbox) Release(ctx context.Context, actor audit.Actor, study id.Study, fate Fate) error {
	if fate != SendOverdue && fate != DropOverdue {
		var c errs.Check
		c.Add("fate", "mail.choose_fate")
		return c.Err()
	}
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		var restored int64
		err := tx.QueryRow(ctx, "delete from quarantine where study_id = $1 returning restored_at", study).Scan(&restored)
		if errors.Is(err, database.ErrNoRows) {
			return ErrNotHeld
		}
		if err != nil {
			return fmt.Errorf("release mail: %w", err)
		}
		// What is no study's has no owner who could be asked: it goes with the last.
		if _, err := tx.Exec(ctx, "delete from quarantine where study_id = '' and not exists (select 1 from quarantine where study_id <> '')"); err != nil {
			return fmt.Errorf("release mail: %w", err)
		}
		if fate == DropOverdue {
			if _, err := tx.Exec(ctx, "update mail set state = 'dropped', done_at = $3 where "+overdue, study, restored, o.now().UnixMilli()); err != nil {
				return fmt.Errorf("drop overdue mail: %w", err)
			}
		}
		return o.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "mail.released", Study: study, Detail: string(fate)})
	})
}
