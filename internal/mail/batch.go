package mail

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// BatchCounts says for each of several batches how many of its mails are in each state.
func (o *Outbox) BatchCounts(ctx context.Context, batches ...id.Batch) (map[id.Batch]map[State]int, error) {
	counts := map[id.Batch]map[State]int{}
	for some := range database.Chunks(batches) {
		list, args := database.In(some)
		err := database.Each(ctx, o.db, func(row database.Scanner) error {
			var batch id.Batch
			var state State
			var n int
			err := row.Scan(&batch, &state, &n)
			if counts[batch] == nil {
				counts[batch] = map[State]int{}
			}
			counts[batch][state] = n
			return err
		}, "select batch, state, count(*) from mail where batch in "+list+" group by batch, state", args...)
		if err != nil {
			return nil, fmt.Errorf("count batches: %w", err)
		}
	}
	return counts, nil
}

// BatchEnd is when the last waiting mail of a batch is due, UTC milliseconds; 0 where none waits.
func (o *Outbox) BatchEnd(ctx context.Context, batch id.Batch) (at int64, err error) {
	err = o.db.QueryRow(ctx, "select coalesce(max(next_at), 0) from mail where batch = $1 and state = 'waiting'", batch).Scan(&at)
	return at, err
}

// BatchFailed lists the failed mails of a batch in the order of writing, at most so many.
func (o *Outbox) BatchFailed(ctx context.Context, batch id.Batch, most int) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+" from mail where batch = $1 and state = 'failed' order by seq, id limit $2", batch, most)
}

// RetryBatch puts every failed mail of a batch back into the queue, with all its attempts before it, and returns how many
// they are. ErrNotFailed where there is none.
func (o *Outbox) RetryBatch(ctx context.Context, actor audit.Actor, study id.Study, batch id.Batch) (n int64, err error) {
	err = o.db.Tx(ctx, func(tx *database.Tx) error {
		n, err = tx.Exec(ctx, `update mail set state = 'waiting', attempts = 0, reason = '', status = 0, done_at = 0, next_at = $3
			where batch = $1 and study_id = $2 and state = 'failed'`, batch, study, o.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("retry batch: %w", err)
		}
		if n == 0 {
			return ErrNotFailed
		}
		return o.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "mail.retried", Study: study, Detail: string(batch)})
	})
	return n, err
}

// BatchWaiting lists to whom waiting mails of a batch are, in the order of writing, at most so many.
func (o *Outbox) BatchWaiting(ctx context.Context, batch id.Batch, most int) ([]id.Person, error) {
	return database.Values[id.Person](ctx, o.db, "select person_id from mail where batch = $1 and state = 'waiting' order by seq, id limit $2", batch, most)
}

// DropBatch takes the waiting mails of a batch to some people out of the queue, in the caller's transaction, and returns
// to whom none will go. One that is being sent at this moment goes, and its recipient is not among those.
func (o *Outbox) DropBatch(ctx context.Context, tx *database.Tx, batch id.Batch, people []id.Person) (spared []id.Person, err error) {
	list, args := database.In(people, batch, o.now().UnixMilli())
	err = database.Each(ctx, tx, func(row database.Scanner) error {
		var person id.Person
		var idle bool
		err := row.Scan(&person, &idle)
		if idle {
			spared = append(spared, person)
		}
		return err
	}, "update mail set state = 'dropped', done_at = $2 where batch = $1 and state = 'waiting' and person_id in "+list+
		" returning person_id, leased_to <= $2", args...)
	if err != nil {
		return nil, fmt.Errorf("drop batch: %w", err)
	}
	return spared, nil
}

// Holders says which of several people have a mail of a kind that went or waits.
func (o *Outbox) Holders(ctx context.Context, study id.Study, kind string, people []id.Person) (map[id.Person]bool, error) {
	holders := map[id.Person]bool{}
	for some := range database.Chunks(people) {
		list, args := database.In(some, study, kind)
		found, err := database.Values[id.Person](ctx, o.db, "select distinct person_id from mail where study_id = $1 and kind = $2 and state in ('waiting', 'sent') and person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("ask who has a mail: %w", err)
		}
		for _, person := range found {
			holders[person] = true
		}
	}
	return holders, nil
}
