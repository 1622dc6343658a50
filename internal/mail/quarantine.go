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

// overdue are the mails that should have gone before the study was put back. Those that are due later cannot have gone.
const overdue = "state = 'waiting' and created_at <= restored_at and not_before <= restored_at"

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

// Held returns why a study's mail waits; nil where it does not.
func (o *Outbox) Held(ctx context.Context, study id.Study) (*Quarantine, error) {
	var q Quarantine
	err := o.db.QueryRow(ctx, `select made_at, restored_at, (select count(*) from mail where study_id = $1 and `+overdue+`)
		from quarantine where study_id = $1`, study).Scan(&q.MadeAt, &q.RestoredAt, &q.Overdue)
	if errors.Is(err, database.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return &q, nil
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
		// The row first: whoever comes second waits for it, and then finds none.
		n, err := tx.Exec(ctx, "update quarantine set restored_at = restored_at where study_id = $1", study)
		if err != nil {
			return fmt.Errorf("release mail: %w", err)
		}
		if n == 0 {
			return ErrNotHeld
		}
		if fate == DropOverdue {
			_, err := tx.Exec(ctx, `update mail set state = 'dropped', done_at = $2 where study_id = $1 and exists (select 1 from quarantine q
				where q.study_id = mail.study_id and `+overdue+`)`, study, o.now().UnixMilli())
			if err != nil {
				return fmt.Errorf("drop overdue mail: %w", err)
			}
		}
		// What is no study's has no owner who could be asked: it goes with the last.
		_, err = tx.Exec(ctx, `delete from quarantine where study_id = $1
			or study_id = '' and not exists (select 1 from quarantine where study_id not in ('', $1))`, study)
		if err != nil {
			return fmt.Errorf("release mail: %w", err)
		}
		return o.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "mail.released", Study: study, Detail: string(fate)})
	})
}
