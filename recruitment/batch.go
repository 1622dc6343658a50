package recruitment

import (
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// ErrNoBatch is a NotFound: no letters were sent together under this id in this study.
var ErrNoBatch = errs.New(errs.NotFound, "recruitment.no_batch")

// Batch is letters that were sent together. Who they went to is known to the outbox alone, and forgotten with the person.
type Batch struct {
	ID        id.Batch
	Study     id.Study
	Actor     audit.Actor // set by PutBatchTx
	At        int64       // UTC milliseconds, as all here; set by PutBatchTx
	FirstAt   int64       // when the first letter may leave
	PerHour   int
	Size      int   // letters put into the queue
	StoppedAt int64 // when somebody took back what had not left, 0 if nobody has
	Anyway    bool  // people may be asked though no goal has room for them; not kept
}

// MostPerHour is the fastest that letters are sent: one a second.
const MostPerHour = 3600

// Check says what is wrong with the pace, at the field "per_hour".
func (b Batch) Check() error {
	var c errs.Check
	if b.PerHour < 1 || b.PerHour > MostPerHour {
		c.Add("per_hour", "recruitment.per_hour")
	}
	return c.Err()
}

const hour = 60 * 60 * 1000 // milliseconds

// LeavesAt is when the letter after n others may leave.
func (b Batch) LeavesAt(n int) int64 { return b.FirstAt + int64(n)*hour/int64(b.PerHour) }

// PutBatchTx notes n more letters of a batch, which begins with the first of them.
func (r *Recruitment) PutBatchTx(ctx context.Context, tx *database.Tx, actor audit.Actor, b Batch, n int) error {
	if err := b.Check(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `insert into invitation_batch (id, study_id, actor, at, first_at, per_hour, size, stopped_at)
		values ($1, $2, $3, $4, $5, $6, $7, 0) on conflict (id) do update set size = invitation_batch.size + excluded.size`,
		b.ID, b.Study, actor, r.now().UnixMilli(), b.FirstAt, b.PerHour, n)
	if err != nil {
		return fmt.Errorf("note batch: %w", err)
	}
	return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "invitation.sent", Study: b.Study, Detail: fmt.Sprintf("%s %d", b.ID, n)})
}

// StopBatchTx notes that what has not left is taken back; once is enough. ErrNoBatch where there is none.
func (r *Recruitment) StopBatchTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, batch id.Batch) error {
	n, err := tx.Exec(ctx, "update invitation_batch set stopped_at = $3 where study_id = $1 and id = $2 and stopped_at = 0",
		study, batch, r.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("stop batch: %w", err)
	}
	if n == 0 {
		_, err := r.batch(ctx, tx, study, batch)
		return err
	}
	return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "invitation.stopped", Study: study, Detail: string(batch)})
}

const batchColumns = "id, study_id, actor, at, first_at, per_hour, size, stopped_at"

func scanBatch(row database.Scanner) (b Batch, err error) {
	err = row.Scan(&b.ID, &b.Study, &b.Actor, &b.At, &b.FirstAt, &b.PerHour, &b.Size, &b.StoppedAt)
	return b, err
}

// Batch returns one, or ErrNoBatch.
func (r *Recruitment) Batch(ctx context.Context, study id.Study, batch id.Batch) (Batch, error) {
	return r.batch(ctx, r.db, study, batch)
}

func (r *Recruitment) batch(ctx context.Context, q database.Querier, study id.Study, batch id.Batch) (Batch, error) {
	b, err := scanBatch(q.QueryRow(ctx, "select "+batchColumns+" from invitation_batch where study_id = $1 and id = $2", study, batch))
	if errors.Is(err, database.ErrNoRows) {
		return b, ErrNoBatch
	}
	if err != nil {
		return b, fmt.Errorf("read batch: %w", err)
	}
	return b, nil
}

// Batches returns a study's newest, at most so many.
func (r *Recruitment) Batches(ctx context.Context, study id.Study, most int) ([]Batch, error) {
	return database.All(ctx, r.db, scanBatch, "select "+batchColumns+" from invitation_batch where study_id = $1 order by at desc, id limit $2", study, most)
}

// Refuses says whether a letter would be asking again whom we promised not to ask.
func (s State) Refuses() bool { return s == Declined || s == Withdrawn || s == Ineligible }

// Answered says whether somebody has said yes to the letter, or is further.
func (s State) Answered() bool { return s.rank() >= Consented.rank() }

// InformTx notes in the caller's transaction that a person is being sent the letter, and says whether they may be: not
// somebody who said no, is out, or was erased a moment ago. The place is held until the transaction ends.
func (r *Recruitment) InformTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) (may bool, err error) {
	at, err := touch(ctx, tx, study, person)
	if errors.Is(err, ErrUnknown) || err == nil && at.state.Refuses() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.advance(ctx, tx, study, person, at, Informed, actor)
}

// UninformTx takes back that a person was sent the letter, where it did not leave and nothing has happened since.
func (r *Recruitment) UninformTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) error {
	at, err := touch(ctx, tx, study, person)
	if errors.Is(err, ErrUnknown) || err == nil && at.state != Informed {
		return nil
	}
	if err != nil {
		return err
	}
	var was State
	err = tx.QueryRow(ctx, `select was from participant_change where study_id = $1 and person_id = $2 and became = $3
		order by seq desc limit 1`, study, person, Informed).Scan(&was)
	if errors.Is(err, database.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read participant's change: %w", err)
	}
	reached := at.reached
	if !was.Lost() {
		reached = at.reaches(was)
	}
	return r.move(ctx, tx, study, person, at, was, reached, actor)
}

// RefuseTx notes in the caller's transaction that a person does not want to be asked again, and says whether that is new.
// Whoever said yes before, or has a date, stays where they are: that is theirs to take back by itself.
func (r *Recruitment) RefuseTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, actor audit.Actor) (moved bool, err error) {
	at, err := touch(ctx, tx, study, person)
	if errors.Is(err, ErrUnknown) || err == nil && (at.state.Answered() || !advances(at.state, at.reached, Declined)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.advance(ctx, tx, study, person, at, Declined, actor)
}
