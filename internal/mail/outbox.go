package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Outbox is the table of mails in the study store.
type Outbox struct {
	db  *database.DB
	log *audit.Log
	now func() time.Time
}

// New returns the outbox kept in db, the study store.
func New(db *database.DB, now func() time.Time) *Outbox { return &Outbox{db, audit.New(db, now), now} }

// code is what a parameter may look like. A name, an address or a sentence does not, and never gets into the table.
var code = regexp.MustCompile(`^[A-Za-z0-9_.,:/+-]{0,200}$`)

// Send is Enqueue in a transaction of its own, for a mail that is the whole act.
func (o *Outbox) Send(ctx context.Context, m Mail) error {
	return o.db.Tx(ctx, func(tx *database.Tx) error { return o.Enqueue(ctx, tx, m) })
}

// Enqueue writes a mail in the caller's transaction. A second one of the same study and key changes nothing. Its errors
// are a programmer's: nothing that a person types gets here.
func (o *Outbox) Enqueue(ctx context.Context, tx *database.Tx, m Mail) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("enqueue mail %q: %w", m.Kind, err)
	}
	params, err := json.Marshal(m.Params)
	if err != nil {
		return fmt.Errorf("enqueue mail: %w", err)
	}
	now := o.now().UnixMilli()
	_, err = tx.Exec(ctx, `insert into mail (id, seq, study_id, person_id, account_id, about_person_id, kind, params, key, created_at, not_before, next_at,
		state, attempts, reason, status, lease, leased_to, done_at, batch)
		values ($1, (select coalesce(max(seq), 0) + 1 from mail), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', 0, '', 0, '', 0, 0, $12)
		on conflict (study_id, key) where key <> '' do nothing`,
		id.New[id.Mail](), m.Study, m.Person, m.Account, m.About, m.Kind, string(params), m.Key, now, m.NotBefore, max(now, m.NotBefore), m.Batch)
	if err != nil {
		return fmt.Errorf("enqueue mail: %w", err)
	}
	return nil
}

func (m Mail) check() error {
	if (m.Person == "") == (m.Account == "") {
		return fmt.Errorf("want a person or an account, and not both")
	}
	if m.About != "" && m.Account == "" {
		return fmt.Errorf("a mail to a person is about that person")
	}
	if m.Kind == "" || !code.MatchString(m.Kind) || !code.MatchString(m.Key) {
		return fmt.Errorf("kind or key is not a code")
	}
	for name, value := range m.Params {
		if !code.MatchString(name) || !code.MatchString(value) {
			return fmt.Errorf("parameter %q is not an identifier, a number or a code", name)
		}
	}
	return nil
}

// of are a person's mails: to them, or to staff about them.
const of = "(person_id = $1 or about_person_id = $1)"

// Drop takes the waiting mails to and about a person out of the queue, except those of the given kinds. One that is being
// sent at this moment goes.
func (o *Outbox) Drop(ctx context.Context, tx *database.Tx, person id.Person, except ...string) error {
	kinds, err := database.Values[string](ctx, tx, "select distinct kind from mail where "+of+" and state = 'waiting' order by kind", person)
	if err != nil {
		return fmt.Errorf("drop mail: %w", err)
	}
	for _, kind := range kinds {
		if slices.Contains(except, kind) {
			continue
		}
		if _, err := tx.Exec(ctx, "update mail set state = 'dropped', done_at = $3 where "+of+" and kind = $2 and state = 'waiting'",
			person, kind, o.now().UnixMilli()); err != nil {
			return fmt.Errorf("drop mail: %w", err)
		}
	}
	return nil
}

// DropTo takes the waiting mails of some kinds to a person out of the queue, and says whether there were any.
func (o *Outbox) DropTo(ctx context.Context, tx *database.Tx, person id.Person, kinds ...string) (dropped bool, err error) {
	list, args := database.In(kinds, person, o.now().UnixMilli())
	n, err := tx.Exec(ctx, "update mail set state = 'dropped', done_at = $2 where person_id = $1 and state = 'waiting' and kind in "+list, args...)
	if err != nil {
		return false, fmt.Errorf("drop mail: %w", err)
	}
	return n > 0, nil
}

// Erase deletes every mail to a person, and every one to staff about them.
func (o *Outbox) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	if _, err := tx.Exec(ctx, "delete from mail where "+of, person); err != nil {
		return fmt.Errorf("erase mail: %w", err)
	}
	return nil
}

// Tables names the tables that Erase clears.
func (o *Outbox) Tables() []string { return []string{"mail"} }

// To lists the mails to a person, oldest first, whatever became of them.
func (o *Outbox) To(ctx context.Context, study id.Study, person id.Person) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+" from mail where study_id = $1 and person_id = $2 and person_id <> '' order by seq, id", study, person)
}

// Newest returns the newest mail of a kind to an account, whatever became of it, and whether there is one.
func (o *Outbox) Newest(ctx context.Context, study id.Study, account id.Account, kind string) (Row, bool, error) {
	row, err := scan(o.db.QueryRow(ctx, "select "+columns+" from mail where study_id = $1 and account_id = $2 and kind = $3 order by seq desc limit 1",
		study, account, kind))
	if errors.Is(err, database.ErrNoRows) {
		return Row{}, false, nil
	}
	if err != nil {
		return Row{}, false, fmt.Errorf("find newest mail: %w", err)
	}
	return row, true, nil
}

const statusLimit = 500

// Status lists a study's mails that wait or have failed, the failed ones first, then in the order in which they are due.
func (o *Outbox) Status(ctx context.Context, study id.Study) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+` from mail where study_id = $1 and state in ('waiting', 'failed')
		order by state, next_at, seq, id limit $2`, study, statusLimit)
}

// Counts says how many of a study's mails there are in each state.
func (o *Outbox) Counts(ctx context.Context, study id.Study) (map[State]int, error) {
	counts := map[State]int{}
	err := database.Each(ctx, o.db, func(row database.Scanner) error {
		var state State
		var n int
		err := row.Scan(&state, &n)
		counts[state] = n
		return err
	}, "select state, count(*) from mail where study_id = $1 group by state", study)
	return counts, err
}

// Retry puts a failed mail back into the queue, with all its attempts before it. ErrNotFailed where there is none.
func (o *Outbox) Retry(ctx context.Context, actor audit.Actor, study id.Study, mail id.Mail) error {
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `update mail set state = 'waiting', attempts = 0, reason = '', status = 0, done_at = 0, next_at = $3
			where id = $1 and study_id = $2 and state = 'failed'`, mail, study, o.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("retry mail: %w", err)
		}
		if n == 0 {
			return ErrNotFailed
		}
		return o.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "mail.retried", Study: study, Detail: string(mail)})
	})
}

// Reclaim ends all leases. It is called at the start of the only process on this store, when they are a dead
// predecessor's; where replicas run, a lease ends by itself.
func (o *Outbox) Reclaim(ctx context.Context) error {
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update mail set lease = '', leased_to = 0 where state = 'waiting' and leased_to > 0")
		return err
	})
}

// lease is how long a mail is left to whoever began to send it: longer than any attempt takes.
const lease = 5 * time.Minute

const dueAtOnce = 100

// due lists mails whose time has come.
func (o *Outbox) due(ctx context.Context) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+` from mail where state = 'waiting' and next_at <= $1 and leased_to <= $1
		and `+free+` order by next_at, seq, id limit $2`, o.now().UnixMilli(), dueAtOnce)
}

// dueOf lists the mails to and about a person whose time has come, whether or not an attempt has failed a moment ago.
func (o *Outbox) dueOf(ctx context.Context, person id.Person) ([]Row, error) {
	return database.All(ctx, o.db, scan, "select "+columns+" from mail where "+of+` and state = 'waiting' and not_before <= $2
		and `+free+` order by seq, id`, person, o.now().UnixMilli())
}

// claim takes a lease on a row and returns its word, empty where somebody else has the row or it is not due any more.
// That is repeated here because the row was read before. anyTime disregards the pause after a failure.
func (o *Outbox) claim(ctx context.Context, row Row, anyTime bool) (word string, err error) {
	now := o.now()
	dueBy := now.UnixMilli()
	if anyTime {
		dueBy = math.MaxInt64
	}
	err = o.db.Tx(ctx, func(tx *database.Tx) error {
		word = string(id.New[id.Mail]())
		n, err := tx.Exec(ctx, "update mail set lease = $2, leased_to = $3 where id = $1 and state = 'waiting' and next_at <= $4 and leased_to <= $5 and "+free,
			row.ID, word, now.Add(lease).UnixMilli(), dueBy, now.UnixMilli())
		if n == 0 {
			word = ""
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("claim mail: %w", err)
	}
	return word, nil
}

// settle writes what became of an attempt and ends the lease. A mail that was dropped meanwhile stays so, unless it
// went; one that was erased, or that another worker has taken over, is left alone.
func (o *Outbox) settle(ctx context.Context, row Row, word string) error {
	var done int64
	if row.State != Waiting {
		done = o.now().UnixMilli()
	}
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `update mail set state = $3, attempts = $4, reason = $5, status = $6, next_at = $7, done_at = $8,
			lease = '', leased_to = 0 where id = $1 and lease = $2 and (state = 'waiting' or $9)`,
			row.ID, word, row.State, row.Attempts, row.Reason, row.Status, row.NextAt, done, row.State == Sent)
		if err != nil {
			return fmt.Errorf("settle mail: %w", err)
		}
		return nil
	})
}

const columns = "id, study_id, person_id, account_id, about_person_id, kind, params, key, created_at, not_before, next_at, state, attempts, reason, status, done_at, batch"

func scan(row database.Scanner) (r Row, err error) {
	var params string
	if err := row.Scan(&r.ID, &r.Study, &r.Person, &r.Account, &r.About, &r.Kind, &params, &r.Key, &r.CreatedAt, &r.NotBefore, &r.NextAt,
		&r.State, &r.Attempts, &r.Reason, &r.Status, &r.DoneAt, &r.Batch); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(params), &r.Params)
}
