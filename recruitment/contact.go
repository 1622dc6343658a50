package recruitment

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

type (
	// Channel is how a contact was made.
	Channel string
	// Direction is who made it.
	Direction string
	// Outcome is what came of it.
	Outcome string
)

const (
	Phone    Channel = "phone"
	Email    Channel = "email"
	InPerson Channel = "in_person"
	Video    Channel = "video"
	Post     Channel = "letter"

	Out Direction = "out"
	In  Direction = "in"

	NotReached   Outcome = "no_answer"
	CallBack     Outcome = "call_back"
	SaidYes      Outcome = "interested"
	SaidNo       Outcome = "declined"
	LetterSent   Outcome = "letter_sent"
	Appointment  Outcome = "appointment"
	OtherOutcome Outcome = "other"
)

// Channels, Directions and Outcomes list what a form offers.
func Channels() []Channel { return []Channel{Phone, Email, InPerson, Video, Post} }

func Directions() []Direction { return []Direction{Out, In} }

func Outcomes() []Outcome {
	return []Outcome{NotReached, CallBack, SaidYes, SaidNo, LetterSent, Appointment, OtherOutcome}
}

// Contact is one call, mail or meeting. It has no text: what people say on the telephone is full of names, and a note
// belongs in the vault.
type Contact struct {
	Channel   Channel
	Direction Direction
	Outcome   Outcome
	NextAt    int64       // when to try again, UTC milliseconds; 0 if not planned
	At        int64       // UTC milliseconds; set by LogContact
	Actor     audit.Actor // set by LogContact
}

func (c Contact) check(now int64) error {
	var check errs.Check
	if !slices.Contains(Channels(), c.Channel) {
		check.Add("channel", "recruitment.choose")
	}
	if !slices.Contains(Directions(), c.Direction) {
		check.Add("direction", "recruitment.choose")
	}
	if !slices.Contains(Outcomes(), c.Outcome) {
		check.Add("outcome", "recruitment.choose")
	}
	if c.NextAt != 0 && c.NextAt <= now {
		check.Add("next", "recruitment.past")
	}
	return check.Err()
}

// leads is the state that an outcome leads to from another. Ringing in vain, or posting something, asks a candidate but
// does not bring back somebody who was given up.
func (o Outcome) leads(from State) State {
	switch o {
	case SaidYes:
		return Interested
	case SaidNo:
		return Declined
	case CallBack, Appointment:
		return Contacted
	}
	if from.Lost() {
		return from
	}
	return Contacted
}

// LogContact notes a contact, plans the next try in place of the one before, and moves the person to contacted,
// interested or declined.
func (r *Recruitment) LogContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, c Contact) error {
	now := r.now().UnixMilli()
	if err := c.check(now); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		at, err := touch(ctx, tx, study, person)
		if err != nil {
			return err
		}
		at.events++
		if _, err := tx.Exec(ctx, `insert into contact_log (person_id, seq, study_id, at, channel, direction, outcome, next_at, actor)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			person, at.events, study, now, c.Channel, c.Direction, c.Outcome, c.NextAt, actor); err != nil {
			return fmt.Errorf("log contact: %w", err)
		}
		if _, err := tx.Exec(ctx, `update participant set events = events + 1, contacted_at = $3, last_at = $3, next_at = $4
			where study_id = $1 and person_id = $2`, study, person, now, c.NextAt); err != nil {
			return fmt.Errorf("plan next contact: %w", err)
		}
		if err := r.advance(ctx, tx, study, person, at, c.Outcome.leads(at.state), actor); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "contact.logged", Study: study, Person: person, Detail: string(c.Outcome)})
	})
}

// Contacts returns the contacts with a person, newest first.
func (r *Recruitment) Contacts(ctx context.Context, study id.Study, person id.Person) ([]Contact, error) {
	return database.All(ctx, r.db, func(row database.Scanner) (c Contact, err error) {
		err = row.Scan(&c.Channel, &c.Direction, &c.Outcome, &c.NextAt, &c.At, &c.Actor)
		return c, err
	}, `select channel, direction, outcome, next_at, at, actor from contact_log
		where study_id = $1 and person_id = $2 order by seq desc`, study, person)
}

// Due returns who is to be tried again by a time in UTC milliseconds, the longest waiting first.
func (r *Recruitment) Due(ctx context.Context, study id.Study, until int64) ([]Participant, error) {
	return database.All(ctx, r.db, scan, "select "+columns+` from participant
		where study_id = $1 and next_at > 0 and next_at <= $2 order by next_at, person_id`, study, until)
}

// NextDue returns who of them waits longest, or ErrUnknown if nobody is to be tried.
func (r *Recruitment) NextDue(ctx context.Context, study id.Study, until int64) (Participant, error) {
	return r.one(ctx, "select "+columns+` from participant
		where study_id = $1 and next_at > 0 and next_at <= $2 order by next_at, code_order, code limit 1`, study, until)
}
