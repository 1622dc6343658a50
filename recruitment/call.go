package recruitment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Due returns who is to be tried again by a time in UTC milliseconds, the longest waiting first.
func (r *Recruitment) Due(ctx context.Context, study id.Study, until int64) ([]Participant, error) {
	return database.All(ctx, r.db, scan, "select "+columns+` from participant
		where study_id = $1 and next_at > 0 and next_at <= $2 order by next_at, code_order, code`, study, until)
}

// NextDue returns who of them waits longest, or ErrUnknown if nobody is to be tried.
func (r *Recruitment) NextDue(ctx context.Context, study id.Study, until int64) (Participant, error) {
	return r.one(ctx, "select "+columns+` from participant
		where study_id = $1 and next_at > 0 and next_at <= $2 order by next_at, code_order, code limit 1`, study, until)
}

// Tries sums up the contacts with one person.
type Tries struct {
	Made   int     // contacts that the team made
	InVain int     // how many of the latest, in a row, nobody answered
	Last   Outcome // of the latest contact; empty before the first
	LastAt int64   // UTC milliseconds
}

// enoughTries is after how many tries without an answer, in a row, giving up is suggested.
const enoughTries = 3

// Enough says whether so many tries in a row were in vain that the team may as well give up.
func (t Tries) Enough() bool { return t.InVain >= enoughTries }

func (t *Tries) add(direction Direction, outcome Outcome, at int64) {
	if direction == Out {
		t.Made++
	}
	t.InVain++
	if outcome != NotReached {
		t.InVain = 0
	}
	t.Last, t.LastAt = outcome, at
}

// Tries sums up the contacts with several people at once. With whom there was none is not in it.
func (r *Recruitment) Tries(ctx context.Context, study id.Study, persons ...id.Person) (map[id.Person]Tries, error) {
	tries := map[id.Person]Tries{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some, study)
		err := database.Each(ctx, r.db, func(row database.Scanner) error {
			var person id.Person
			var direction Direction
			var outcome Outcome
			var at int64
			err := row.Scan(&person, &direction, &outcome, &at)
			t := tries[person]
			t.add(direction, outcome, at)
			tries[person] = t
			return err
		}, "select person_id, direction, outcome, at from contact_log where study_id = $1 and person_id in "+list+" order by person_id, seq", args...)
		if err != nil {
			return nil, fmt.Errorf("read tries: %w", err)
		}
	}
	return tries, nil
}

// The hours that NextTry suggests: when people have come to work, and when they are back from lunch.
const (
	morningCall, noon, afternoonCall = 9, 12, 13
)

// NextTry suggests when to try again after a try in vain: the next working day, at another time of day. now is on the
// clocks of the study.
func NextTry(now time.Time) time.Time {
	hour := morningCall
	if now.Hour() < noon {
		hour = afternoonCall
	}
	day := 1
	for ; ; day++ {
		next := time.Date(now.Year(), now.Month(), now.Day()+day, hour, 0, 0, 0, now.Location())
		if weekday := next.Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			return next
		}
	}
}

// Plan is a try that was put off.
type Plan struct {
	At     int64 // when that was decided, UTC milliseconds
	NextAt int64 // until when it was put off, UTC milliseconds
	Actor  audit.Actor
}

// Postpone puts a planned try off, or plans the first. The time is in UTC milliseconds, its faults are at the field "next".
// It is ErrChanged where the person is not any more as seen says (0 is not asked), or need not be tried any more.
func (r *Recruitment) Postpone(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, seen, next int64) error {
	now := r.now().UnixMilli()
	var check errs.Check
	switch {
	case next == 0:
		check.Add("next", "required")
	case next <= now:
		check.Add("next", "recruitment.past")
	}
	if err := check.Err(); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		at, err := touch(ctx, tx, study, person)
		if err == nil {
			err = at.unseen(seen)
		}
		if err != nil {
			return err
		}
		if at.next == 0 && at.state.settled() {
			return ErrChanged
		}
		if _, err := tx.Exec(ctx, "insert into contact_plan (person_id, seq, study_id, at, next_at, actor) values ($1, $2, $3, $4, $5, $6)",
			person, at.events+1, study, now, next, actor); err != nil {
			return fmt.Errorf("note new plan: %w", err)
		}
		if _, err := tx.Exec(ctx, "update participant set events = events + 1, next_at = $3 where study_id = $1 and person_id = $2",
			study, person, next); err != nil {
			return fmt.Errorf("postpone contact: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "contact.postponed", Study: study, Person: person})
	})
}

// Plans returns how often tries of a person were put off, oldest first.
func (r *Recruitment) Plans(ctx context.Context, study id.Study, person id.Person) ([]Plan, error) {
	return database.All(ctx, r.db, func(row database.Scanner) (p Plan, err error) {
		err = row.Scan(&p.At, &p.NextAt, &p.Actor)
		return p, err
	}, "select at, next_at, actor from contact_plan where study_id = $1 and person_id = $2 order by seq", study, person)
}

// undoWithin is how long a contact may be taken back for a slip.
const undoWithin = 10 * time.Minute

// slip is a contact that can still be taken back, and what stood before it.
type slip struct {
	Contact
	moved   bool
	next    int64
	reached State
}

// Slip returns the contact that UndoContact would take back now, and whether there is one.
func (r *Recruitment) Slip(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) (Contact, bool, error) {
	s, err := r.slip(ctx, r.db, actor, study, person)
	if errors.Is(err, ErrTooLate) {
		return Contact{}, false, nil
	}
	return s.Contact, err == nil, err
}

func (r *Recruitment) slip(ctx context.Context, q database.Querier, actor audit.Actor, study id.Study, person id.Person) (s slip, err error) {
	// Nothing has happened since where the contact, or the change that it led to, is the person's latest event.
	err = q.QueryRow(ctx, "select "+contactColumns+`, moved, next_was, reached_was from contact_log
		where study_id = $1 and person_id = $2 and actor = $3 and at >= $4 and reached_was <> ''
		and case when moved then seq + 1 else seq end = (select events from participant where person_id = $2)`,
		study, person, actor, r.now().Add(-undoWithin).UnixMilli()).Scan(append(s.fields(), &s.moved, &s.next, &s.reached)...)
	if errors.Is(err, database.ErrNoRows) {
		return s, ErrTooLate
	}
	if err != nil {
		return s, fmt.Errorf("read latest contact: %w", err)
	}
	return s, nil
}

// UndoContact takes back what the same account logged less than ten minutes ago, named by its Seq, if nothing has
// happened since: the contact, the change of state that it led to and the plan. It returns what the vault calls the
// contact's note, which is now nobody's. What cannot be taken back is ErrTooLate.
func (r *Recruitment) UndoContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, seq int64) (note id.Note, err error) {
	err = r.db.Tx(ctx, func(tx *database.Tx) error {
		at, err := touch(ctx, tx, study, person)
		if err != nil {
			return err
		}
		s, err := r.slip(ctx, tx, actor, study, person)
		if err == nil && s.Seq != seq {
			err = ErrTooLate
		}
		if err != nil {
			return err
		}
		note = s.Note
		if err := takeBack(ctx, tx, study, person, at, s); err != nil {
			return fmt.Errorf("take contact back: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "contact.undone", Study: study, Person: person, Detail: string(s.Outcome)})
	})
	return note, err
}

// takeBack puts a participant where they stood before the contact. Events go on being counted: their numbers are not used
// again, and a page from between is seen to be old.
func takeBack(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, at standing, s slip) error {
	state := at.state
	if s.moved {
		if err := tx.QueryRow(ctx, "select was from participant_change where person_id = $1 and seq = $2", person, s.Seq+1).Scan(&state); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from participant_change where person_id = $1 and seq = $2", person, s.Seq+1); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "delete from contact_log where person_id = $1 and seq = $2", person, s.Seq); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update participant set state = $3, reached = $4, stage = $5, next_at = $6, events = events + 1,
		contacted_at = coalesce((select max(at) from contact_log where person_id = $2), 0),
		state_at = coalesce((select max(at) from participant_change where person_id = $2), created_at)
		where study_id = $1 and person_id = $2`, study, person, state, s.reached, state.stage(s.reached), s.next); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update participant set last_at = case when state_at > created_at and state_at > contacted_at then state_at
		else contacted_at end where person_id = $1`, person)
	return err
}
